"""Files built into a program."""

def embed_data(name, srcs, function, root = "", **kwargs):
    """A cc_library with `std::span<const hivewire::EmbeddedFile> Function();` in `<name>.h`.

    Args:
      name: the target; its header is "<package>/<name>.h".
      srcs: the files.
      function: name of the generated function, in namespace hivewire.
      root: names of the files are their paths below this folder; without it, their last component.
      **kwargs: passed to cc_library (visibility, testonly).
    """
    include = "%s/%s.h" % (native.package_name(), name)
    native.genrule(
        name = name + "_gen",
        srcs = srcs,
        outs = [name + ".h", name + ".cc"],
        cmd = " ".join([
            "python3 $(location //tools:embed.py)",
            "--function=" + function,
            "--include=" + include,
            "--header=$(location %s.h)" % name,
            "--source=$(location %s.cc)" % name,
            "--root='%s'" % root,
            "$(SRCS)",
        ]),
        testonly = kwargs.get("testonly", False),
        tools = ["//tools:embed.py"],
        visibility = ["//visibility:private"],
    )
    native.cc_library(
        name = name,
        srcs = [name + ".cc"],
        hdrs = [name + ".h"],
        deps = ["//tools:embedded_file"],
        **kwargs
    )
