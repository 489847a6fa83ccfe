"""Repositories that stand for libraries installed by the system's package manager."""

def _system_package_impl(ctx):
    for name, path in ctx.attr.include_roots.items():
        if not ctx.path(path).exists:
            fail("%s is missing: run deploy/setup.sh" % path)
        ctx.symlink(path, name)
    ctx.symlink(ctx.attr.build_file, "BUILD.bazel")

system_package = repository_rule(
    implementation = _system_package_impl,
    attrs = {
        "build_file": attr.label(mandatory = True, allow_single_file = True),
        # Name in the repository to the folder of the system, for headers outside /usr/include.
        "include_roots": attr.string_dict(),
    },
    local = True,
)
