"""All that Hivewire is built with, for its own WORKSPACE and for those that use it as @hivewire."""

load("//third_party/bazel:repository.bzl", "stub_repository")
load("//third_party/system:repository.bzl", "system_package")
load("//third_party/wheels:repository.bzl", "wheel_repository")

def hivewire_dependencies():
    """Defines the repositories; one that is defined already stays as it is."""
    _bazel_dependencies()
    _system_packages()
    _wheels()

def _add(rule, name, **kwargs):
    if name not in native.existing_rules():
        rule(name = name, **kwargs)

def _bazel_dependencies():
    # What Bazel itself would otherwise download. Debian installs the Java and proto rules beside
    # its Bazel 4.2.3; its rules_cc is too new for it, so ours hands out the native rules.
    _add(
        stub_repository,
        name = "rules_cc",
        files = {Label("//third_party/bazel:rules_cc_defs.bzl"): "cc/defs.bzl"},
    )

    _add(
        stub_repository,
        name = "remote_coverage_tools",
        files = {Label("//third_party/bazel:remote_coverage_tools.BUILD"): "BUILD"},
    )

    _add(
        native.local_repository,
        name = "rules_java",
        path = "/usr/share/bazel/rules/java",
    )

    _add(
        native.local_repository,
        name = "rules_proto",
        path = "/usr/share/bazel/rules/proto",
    )

def _system_packages():
    # Libraries that deploy/setup.sh installs from Debian.
    _add(
        system_package,
        name = "abseil",
        build_file = Label("//third_party/system:abseil.BUILD"),
    )

    _add(
        system_package,
        name = "benchmark",
        build_file = Label("//third_party/system:benchmark.BUILD"),
    )

    _add(
        system_package,
        name = "egl",
        build_file = Label("//third_party/system:egl.BUILD"),
    )

    _add(
        system_package,
        name = "eigen",
        build_file = Label("//third_party/system:eigen.BUILD"),
        include_roots = {"include": "/usr/include/eigen3"},
    )

    _add(
        system_package,
        name = "gif",
        build_file = Label("//third_party/system:gif.BUILD"),
    )

    _add(
        system_package,
        name = "googletest",
        build_file = Label("//third_party/system:googletest.BUILD"),
    )

    _add(
        system_package,
        name = "grpc",
        build_file = Label("//third_party/system:grpc.BUILD"),
    )

    _add(
        system_package,
        name = "openssl",
        build_file = Label("//third_party/system:openssl.BUILD"),
    )

    _add(
        system_package,
        name = "osmesa",
        build_file = Label("//third_party/system:osmesa.BUILD"),
    )

    _add(
        system_package,
        name = "png",
        build_file = Label("//third_party/system:png.BUILD"),
    )

    _add(
        system_package,
        name = "protobuf",
        build_file = Label("//third_party/system:protobuf.BUILD"),
    )

    _add(
        system_package,
        name = "spdlog",
        build_file = Label("//third_party/system:spdlog.BUILD"),
    )

    _add(
        system_package,
        name = "zlib",
        build_file = Label("//third_party/system:zlib.BUILD"),
    )

def _wheels():
    # Wheels, fetched only when a target that is being built needs them.
    _add(
        wheel_repository,
        name = "mujoco",
        build_file = Label("//third_party/wheels:mujoco.BUILD"),
        exclude = [
            "mujoco/include/mujoco/experimental/*",
            "mujoco/include/mujoco/render/*",
        ],
        include = [
            "mujoco/include/mujoco/*.h",
            "mujoco/libmujoco.so.*",
            "mujoco-*.dist-info/*LICENSE*",
        ],
        wheels = {
            "mujoco==3.17.0": "d66928d86a2d1b601bbaa4dc11db50214d17d5301bb8afd84721313b67ff0874",
        },
    )

    # The version that EnvPool links, for the bench that stands beside it; not part of any program.
    _add(
        wheel_repository,
        name = "mujoco_3_6",
        build_file = Label("//third_party/wheels:mujoco_3_6.BUILD"),
        include = [
            "mujoco/include/mujoco/mj*.h",
            "mujoco/include/mujoco/mujoco.h",
            "mujoco/libmujoco.so.*",
            "mujoco-*.dist-info/licenses/*",
        ],
        wheels = {
            "mujoco==3.6.0": "6708a62f4c85bef51c47d0835d29e116da96b4f6a4cf5beef3467dca8af8c407",
        },
    )

    # Checks .proto files; not part of any program.
    _add(
        wheel_repository,
        name = "buf",
        build_file = Label("//third_party/wheels:buf.BUILD"),
        include = [
            "buf_bin-*.data/scripts/buf",
            "buf_bin-*.dist-info/*LICENSE*",
        ],
        wheels = {
            "buf-bin==1.75.0": "6fd3ecb1694b6f5bcdfb9bef5297b330ffb9731b95445a42944c1b6158428101",
        },
    )

    _add(
        wheel_repository,
        name = "gymnasium",
        build_file = Label("//third_party/wheels:gymnasium.BUILD"),
        include = [
            "gymnasium/envs/mujoco/assets/*.xml",
            "gymnasium-*.dist-info/*LICENSE*",
        ],
        wheels = {
            "gymnasium==1.4.0": "1cb947c59e7c72d8eabb2c2274c00cd20948e69f8452a9ef4092223be24fdf0e",
        },
    )

    # RoboHive's own model files. What they include (SimHive) is found on the machine at run time.
    _add(
        wheel_repository,
        name = "robohive",
        build_file = Label("//third_party/wheels:robohive.BUILD"),
        exclude = [
            "robohive/envs/myo/*",
            "robohive/envs/tcdm/*",
            "robohive/envs/multi_task/common/desk/*",
            "robohive/envs/multi_task/common/hingecabinet/*",
        ],
        include = [
            "robohive/envs/*.xml",
            "robohive-*.dist-info/*LICENSE*",
        ],
        wheels = {
            "robohive==0.7.0": "7bf4edb1fa923288cb207a786331e267b19cf2f84470061a46a0c7ac890f6a23",
        },
    )

    # The CPU part of LibTorch and the two CUDA libraries that libtorch_cpu names. The copies of fmt
    # and protobuf in the wheel are left out: they would shadow the system's.
    _add(
        wheel_repository,
        name = "torch",
        build_file = Label("//third_party/wheels:torch.BUILD"),
        exclude = [
            "torch/include/fmt/*",
            "torch/include/google/*",
        ],
        include = [
            "torch/include/*",
            "torch/lib/libtorch_cpu.so",
            "torch/lib/libc10.so",
            "torch/lib/libgomp*",
            "*.dist-info/licenses/*",
            "nvidia/cu13/lib/libcudart.so.13",
            "nvidia/cu13/lib/libcupti.so.13",
        ],
        wheels = {
            "torch==2.11.0": "7aa2f9bbc6d4595ba72138026b2074be1233186150e9292865e04b7a63b8c67a",
            "nvidia-cuda-runtime==13.0.96": "7f82250d7782aa23b6cfe765ecc7db554bd3c2870c43f3d1821f1d18aebf0548",
            "nvidia-cuda-cupti==13.0.85": "4eb01c08e859bf924d222250d2e8f8b8ff6d3db4721288cf35d14252a4d933c8",
        },
    )
