"""C++ from .proto files, by the system's protoc and gRPC plugin."""

_ROOT = "proto"

# Where this repository lies, seen from a command: "", or "external/hivewire/" where another project
# builds it.
_REPOSITORY = "".join([part + "/" for part in [Label("//:BUILD").workspace_root] if part])

def hw_proto_library(name, srcs, deps = [], grpc = False, visibility = None):
    """Makes the targets for some .proto files below proto/.

    Imports and C++ includes are relative to proto/: "hivewire/v1/types.proto" is included as
    "hivewire/v1/types.pb.h".

      <name>_proto      the .proto files, with all that they import
      <name>_cc_proto   the messages
      <name>_cc_grpc    the services; only with grpc = True

    Args:
      name: what the three names begin with.
      srcs: .proto files of this package.
      deps: `name`s of other hw_proto_library, as labels: ":types", "//proto/google/rpc:status".
      grpc: whether the files have services.
      visibility: of the three.
    """
    package = native.package_name()
    if not (package + "/").startswith(_ROOT + "/"):
        fail("hw_proto_library must be below %s/, not in %s" % (_ROOT, package))
    stems = [src[:-len(".proto")] for src in srcs]

    native.filegroup(
        name = name + "_proto",
        srcs = srcs + [dep + "_proto" for dep in deps],
        visibility = visibility,
    )
    _protoc(
        name = name + "_cc_proto_gen",
        protos = name + "_proto",
        srcs = srcs,
        outs = [stem + ext for stem in stems for ext in [".pb.h", ".pb.cc"]],
        flags = "--cpp_out=$(GENDIR)/" + _REPOSITORY + _ROOT,
    )
    native.cc_library(
        name = name + "_cc_proto",
        srcs = [stem + ".pb.cc" for stem in stems],
        hdrs = [stem + ".pb.h" for stem in stems],
        copts = ["-w"],
        visibility = visibility,
        deps = [dep + "_cc_proto" for dep in deps] + [
            "//proto:include_root",
            "@protobuf//:protobuf",
        ],
    )
    if grpc:
        _protoc(
            name = name + "_cc_grpc_gen",
            protos = name + "_proto",
            srcs = srcs,
            outs = [stem + ext for stem in stems for ext in [".grpc.pb.h", ".grpc.pb.cc"]],
            flags = "--plugin=protoc-gen-grpc=$$(command -v grpc_cpp_plugin)" +
                    " --grpc_out=$(GENDIR)/" + _REPOSITORY + _ROOT,
        )
        native.cc_library(
            name = name + "_cc_grpc",
            srcs = [stem + ".grpc.pb.cc" for stem in stems],
            hdrs = [stem + ".grpc.pb.h" for stem in stems],
            copts = ["-w"],
            visibility = visibility,
            deps = [":" + name + "_cc_proto", "@grpc//:grpc++"],
        )

def _protoc(name, protos, srcs, outs, flags):
    files = ["%s%s/%s" % (_REPOSITORY, native.package_name(), src) for src in srcs]
    native.genrule(
        name = name,
        srcs = [protos],
        outs = outs,
        cmd = "protoc --proto_path=%s%s %s %s" % (_REPOSITORY, _ROOT, flags, " ".join(files)),
        visibility = ["//visibility:private"],
    )
