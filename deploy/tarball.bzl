"""Tarballs that run where they are unpacked."""

# Debian packages whose static archives are inside our programs.
_LINKED_PACKAGES = [
    "libabsl-dev",
    "libc-ares-dev",
    "libfmt-dev",
    "libgif-dev",
    "libgrpc++-dev",
    "libpng-dev",
    "libprotobuf-dev",
    "libre2-dev",
    "libspdlog-dev",
    "libssl-dev",
    "libstdc++6",
    "zlib1g-dev",
]

def tarball(name, programs, libraries = [], licenses = {}, host_libraries = [], **kwargs):
    """`<name>.tar.gz`: hivewire/bin, hivewire/lib and the licences of all that is in them.

    Programs find their libraries by the run path of //third_party/system:relocatable.

    Args:
      name: the target.
      programs: cc_binary labels; they are stripped.
      libraries: labels of shared libraries.
      licenses: name to the label of its licence files.
      host_libraries: shared libraries of the compiler, by file name.
      **kwargs: passed to genrule.
    """
    stage = ["root=$$(mktemp -d)/hivewire", "mkdir -p $$root/bin $$root/lib $$root/licenses"]
    for program in programs:
        stage += [
            "cp -L $(location %s.stripped) $$root/bin/%s" % (program, program.split(":")[1]),
        ]
    for library in libraries:
        stage += ["cp -L $(locations %s) $$root/lib" % library]
    for library in host_libraries:
        stage += ["cp -L $$(gcc -print-file-name=%s) $$root/lib" % library]
    stage += ["cp -L $(location //:LICENSE) $$root"]
    for component, label in licenses.items():
        stage += [
            "mkdir $$root/licenses/" + component,
            "cp -L $(locations %s) $$root/licenses/%s" % (label, component),
        ]
    for package in _LINKED_PACKAGES:
        stage += ["cp -L /usr/share/doc/%s/copyright $$root/licenses/%s" % (package, package)]
    stage += [
        "chmod -R u+w,go-w,a+rX $$root",
        "tar --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner" +
        " -C $$root/.. -cf - hivewire | gzip -n -1 > $@",
        "rm -rf $$root",
    ]
    native.genrule(
        name = name,
        srcs = ["//:LICENSE"] + [program + ".stripped" for program in programs] + libraries +
               licenses.values(),
        outs = [name + ".tar.gz"],
        cmd = " && ".join(stage),
        **kwargs
    )
