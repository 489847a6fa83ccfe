"""cc_library targets for libraries whose headers are in /usr/include."""

def system_library(name, libs = [], static_libs = None, always_static = False, linkopts = [], **kwargs):
    """A library of the system: its static archive, or the shared library (see shared_linkage).

    Args:
      name: the target.
      libs: what follows -l. Only those that a binary really uses become its dependencies.
      static_libs: the archives that replace libs, in any order; libs where not given.
      always_static: link the archives in every configuration.
      linkopts: flags for every configuration.
      **kwargs: passed to cc_library.
    """
    shared = ["-Wl,--push-state,--as-needed"] + ["-l" + lib for lib in libs] + ["-Wl,--pop-state"]
    archives = static_libs if static_libs != None else libs
    static = ["-Wl,--start-group"] + ["-l:lib%s.a" % lib for lib in archives] + ["-Wl,--end-group"]
    native.cc_library(
        name = name,
        linkopts = linkopts + (static if always_static else select({
            "@hivewire//third_party/system:shared_linkage": shared,
            "//conditions:default": static,
        })),
        visibility = ["//visibility:public"],
        **kwargs
    )
