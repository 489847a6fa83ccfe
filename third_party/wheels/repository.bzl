"""Repositories made from wheels of the Python package index: headers, libraries and assets."""

# The host's Python and C library do not matter, so pip is told what to look for. It takes a wheel
# only if one of these names it exactly.
_PIP_TARGET = [
    "--python-version=3.11",
    "--platform=manylinux_2_28_x86_64",
    "--platform=manylinux_2_27_x86_64",
    "--platform=manylinux_2_25_x86_64",
    "--platform=manylinux_2_17_x86_64",
    "--platform=manylinux2014_x86_64",
]

def _run(ctx, what, arguments):
    result = ctx.execute(arguments, timeout = 3600)
    if result.return_code:
        fail("%s failed:\n%s%s" % (what, result.stdout, result.stderr))

def _wheel_repository_impl(ctx):
    unpack = ctx.path(ctx.attr._unpack)
    for requirement, sha256 in ctx.attr.wheels.items():
        ctx.report_progress("downloading " + requirement)
        _run(ctx, "downloading " + requirement, [
            "python3",
            "-m",
            "pip",
            "download",
            "--quiet",
            "--disable-pip-version-check",
            "--no-deps",
            "--only-binary=:all:",
            "--dest=_download",
        ] + _PIP_TARGET + [requirement])
        ctx.report_progress("unpacking " + requirement)
        _run(
            ctx,
            "unpacking " + requirement,
            ["python3", unpack, "--wheel=_download", "--sha256=" + sha256] +
            ["--include=" + pattern for pattern in ctx.attr.include] +
            ["--exclude=" + pattern for pattern in ctx.attr.exclude],
        )
        ctx.delete("_download")
    ctx.symlink(ctx.attr.build_file, "BUILD.bazel")

wheel_repository = repository_rule(
    implementation = _wheel_repository_impl,
    attrs = {
        "build_file": attr.label(mandatory = True, allow_single_file = True),
        # Requirement, as in "mujoco==3.17.0", to the sha256 of its wheel.
        "wheels": attr.string_dict(mandatory = True),
        # Patterns of the files to keep; * matches / too.
        "include": attr.string_list(mandatory = True),
        # Patterns of the files to leave out of those.
        "exclude": attr.string_list(),
        "_unpack": attr.label(default = "//third_party/wheels:unpack_wheel.py"),
    },
)
