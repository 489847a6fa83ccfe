#include "server/sim/gl_context.h"

#include <EGL/egl.h>
#include <EGL/eglext.h>
#include <GL/osmesa.h>
#include <dlfcn.h>

#include <cstdlib>
#include <initializer_list>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/error.h"
#include "server/sim/gl_functions.h"

namespace hivewire {
namespace {

using ContextPtr = absl::StatusOr<std::unique_ptr<GlContext>>;

// The first of `names` that can be opened. Its symbols are made visible to the whole process,
// because MuJoCo looks there for the functions of GL. Never closed: drivers do not survive that.
absl::StatusOr<void*> OpenLibrary(std::initializer_list<const char*> names) {
  for (const char* name : names) {
    if (void* library = dlopen(name, RTLD_NOW | RTLD_GLOBAL)) return library;
  }
  return absl::FailedPreconditionError(dlerror());
}

// `function` points at the library's function called `name`, or at null.
template <typename Function>
bool Find(void* library, const char* name, Function& function) {
  function = reinterpret_cast<Function>(dlsym(library, name));
  return function != nullptr;
}

struct Egl {
  decltype(&eglBindAPI) bind_api;
  decltype(&eglChooseConfig) choose_config;
  decltype(&eglCreateContext) create_context;
  decltype(&eglDestroyContext) destroy_context;
  decltype(&eglGetProcAddress) get_proc_address;
  decltype(&eglInitialize) initialize;
  decltype(&eglMakeCurrent) make_current;
  decltype(&eglReleaseThread) release_thread;
  PFNEGLGETPLATFORMDISPLAYEXTPROC get_platform_display;
  PFNEGLQUERYDEVICESEXTPROC query_devices;  // null where the library has no devices

  static absl::StatusOr<Egl> Load() {
    const absl::StatusOr<void*> library = OpenLibrary({"libEGL.so.1", "libEGL.so"});
    if (!library.ok()) return library.status();
    Egl egl;
    const bool complete = Find(*library, "eglBindAPI", egl.bind_api) &&
                          Find(*library, "eglChooseConfig", egl.choose_config) &&
                          Find(*library, "eglCreateContext", egl.create_context) &&
                          Find(*library, "eglDestroyContext", egl.destroy_context) &&
                          Find(*library, "eglGetProcAddress", egl.get_proc_address) &&
                          Find(*library, "eglInitialize", egl.initialize) &&
                          Find(*library, "eglMakeCurrent", egl.make_current) &&
                          Find(*library, "eglReleaseThread", egl.release_thread);
    if (!complete) return absl::FailedPreconditionError("libEGL lacks functions of EGL 1.2");
    egl.get_platform_display = reinterpret_cast<PFNEGLGETPLATFORMDISPLAYEXTPROC>(
        egl.get_proc_address("eglGetPlatformDisplayEXT"));
    egl.query_devices =
        reinterpret_cast<PFNEGLQUERYDEVICESEXTPROC>(egl.get_proc_address("eglQueryDevicesEXT"));
    if (egl.get_platform_display == nullptr) {
      return absl::FailedPreconditionError("libEGL cannot draw without a window");
    }
    return egl;
  }

  // Those of the devices, then Mesa's display without a device.
  std::vector<EGLDisplay> Displays() const {
    std::vector<EGLDisplay> displays;
    EGLDeviceEXT devices[32];
    EGLint count = 0;
    if (query_devices != nullptr && query_devices(std::size(devices), devices, &count)) {
      for (EGLint k = 0; k < count; ++k) {
        displays.push_back(get_platform_display(EGL_PLATFORM_DEVICE_EXT, devices[k], nullptr));
      }
    }
    displays.push_back(
        get_platform_display(EGL_PLATFORM_SURFACELESS_MESA, EGL_DEFAULT_DISPLAY, nullptr));
    return displays;
  }
};

class EglContext : public GlContext {
 public:
  static ContextPtr Create() {
    const absl::StatusOr<Egl> egl = Egl::Load();
    if (!egl.ok()) return egl.status();
    for (EGLDisplay display : egl->Displays()) {
      // Displays are the process's and may serve other contexts: they are never terminated.
      if (display == EGL_NO_DISPLAY || !egl->initialize(display, nullptr, nullptr)) continue;
      const EGLContext context = MakeCurrent(*egl, display);
      if (context != EGL_NO_CONTEXT) {
        SetGlLookup(egl->get_proc_address);
        return std::unique_ptr<GlContext>(new EglContext(*egl, display, context));
      }
    }
    return absl::FailedPreconditionError("no display gives an OpenGL context");
  }

  ~EglContext() override {
    egl_.make_current(display_, EGL_NO_SURFACE, EGL_NO_SURFACE, EGL_NO_CONTEXT);
    egl_.destroy_context(display_, context_);
    egl_.release_thread();
  }

  absl::string_view backend() const override { return "egl"; }

 private:
  EglContext(const Egl& egl, EGLDisplay display, EGLContext context)
      : egl_(egl), display_(display), context_(context) {}

  static EGLContext MakeCurrent(const Egl& egl, EGLDisplay display) {
    constexpr EGLint kAttributes[][2] = {
        {EGL_RED_SIZE, 8},
        {EGL_GREEN_SIZE, 8},
        {EGL_BLUE_SIZE, 8},
        {EGL_ALPHA_SIZE, 8},
        {EGL_DEPTH_SIZE, 24},
        {EGL_STENCIL_SIZE, 8},
        {EGL_SURFACE_TYPE, EGL_PBUFFER_BIT},
        {EGL_RENDERABLE_TYPE, EGL_OPENGL_BIT},
        {EGL_NONE, EGL_NONE},
    };
    EGLConfig config;
    EGLint count = 0;
    if (!egl.choose_config(display, kAttributes[0], &config, 1, &count) || count < 1 ||
        !egl.bind_api(EGL_OPENGL_API)) {
      return EGL_NO_CONTEXT;
    }
    const EGLContext context = egl.create_context(display, config, EGL_NO_CONTEXT, nullptr);
    if (context == EGL_NO_CONTEXT) return EGL_NO_CONTEXT;
    if (egl.make_current(display, EGL_NO_SURFACE, EGL_NO_SURFACE, context)) return context;
    egl.destroy_context(display, context);
    return EGL_NO_CONTEXT;
  }

  Egl egl_;
  EGLDisplay display_;
  EGLContext context_;
};

class OsmesaContext : public GlContext {
 public:
  static ContextPtr Create() {
    const absl::StatusOr<void*> library =
        OpenLibrary({"libOSMesa.so.8", "libOSMesa.so.6", "libOSMesa.so"});
    if (!library.ok()) return library.status();
    decltype(&OSMesaCreateContextExt) create;
    decltype(&OSMesaGetProcAddress) get_proc_address;
    decltype(&OSMesaMakeCurrent) make_current;
    std::unique_ptr<OsmesaContext> result(new OsmesaContext);
    if (!Find(*library, "OSMesaCreateContextExt", create) ||
        !Find(*library, "OSMesaGetProcAddress", get_proc_address) ||
        !Find(*library, "OSMesaMakeCurrent", make_current) ||
        !Find(*library, "OSMesaDestroyContext", result->destroy_)) {
      return absl::FailedPreconditionError("libOSMesa lacks functions of OSMesa 3.5");
    }
    result->context_ = create(OSMESA_RGBA, /*depthBits=*/24, /*stencilBits=*/8, /*accumBits=*/0,
                              /*sharelist=*/nullptr);
    if (result->context_ == nullptr ||
        !make_current(result->context_, result->window_, GL_UNSIGNED_BYTE, 1, 1)) {
      return absl::FailedPreconditionError("libOSMesa makes no context");
    }
    SetGlLookup(get_proc_address);
    return result;
  }

  ~OsmesaContext() override {
    if (context_ != nullptr) destroy_(context_);
  }

  absl::string_view backend() const override { return "osmesa"; }

 private:
  OsmesaContext() = default;

  decltype(&OSMesaDestroyContext) destroy_ = nullptr;
  OSMesaContext context_ = nullptr;
  // OSMesa wants a window; MuJoCo draws into a frame buffer of its own.
  unsigned char window_[4] = {};
};

// By the variable that MuJoCo's own bindings read.
GlContext::Backend ChosenByUser() {
  const char* choice = std::getenv("MUJOCO_GL");
  if (choice != nullptr && absl::string_view(choice) == "egl") return GlContext::Backend::kEgl;
  if (choice != nullptr && absl::string_view(choice) == "osmesa")
    return GlContext::Backend::kOsmesa;
  return GlContext::Backend::kAny;
}

}  // namespace

ContextPtr GlContext::Create(Backend backend) {
  if (backend == Backend::kAny) backend = ChosenByUser();
  std::vector<std::string> failures;
  if (backend != Backend::kOsmesa) {
    ContextPtr context = EglContext::Create();
    if (context.ok()) return context;
    failures.push_back(absl::StrCat("EGL: ", context.status().message()));
  }
  if (backend != Backend::kEgl) {
    ContextPtr context = OsmesaContext::Create();
    if (context.ok()) return context;
    failures.push_back(absl::StrCat("OSMesa: ", context.status().message()));
  }
  return MakeError(v1::ERROR_REASON_NO_RENDERER,
                   absl::StrCat("this machine cannot draw (", absl::StrJoin(failures, "; "),
                                "); install libegl1 or libosmesa6"));
}

}  // namespace hivewire
