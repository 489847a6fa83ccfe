"""Repositories that stand for what Bazel itself would otherwise download."""

def _stub_repository_impl(ctx):
    for label, path in ctx.attr.files.items():
        ctx.symlink(label, path)
        folder, _, name = path.rpartition("/")
        if name != "BUILD":
            ctx.file(folder + "/BUILD")

stub_repository = repository_rule(
    implementation = _stub_repository_impl,
    attrs = {
        # File to its path in the repository; a folder without a BUILD file gets an empty one.
        "files": attr.label_keyed_string_dict(mandatory = True, allow_files = True),
    },
    local = True,
)
