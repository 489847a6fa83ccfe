// An OpenGL context without a window, for drawing into memory.
//
// EGL is tried first (a GPU where there is one, else Mesa's software device), then OSMesa. Both
// libraries are opened at run time, so a program runs on machines that have neither. MuJoCo keeps
// one table of GL functions for the whole process: contexts of different backends must not be mixed
// in one.
//
// A context belongs to the thread that created it, which must also destroy it.
#ifndef HIVEWIRE_SERVER_SIM_GL_CONTEXT_H_
#define HIVEWIRE_SERVER_SIM_GL_CONTEXT_H_

#include <memory>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace hivewire {

class GlContext {
 public:
  enum class Backend { kAny, kEgl, kOsmesa };

  // A context, current on the calling thread. kAny heeds MUJOCO_GL=egl and =osmesa.
  // FAILED_PRECONDITION (NO_RENDERER) saying what was tried and why it did not work.
  static absl::StatusOr<std::unique_ptr<GlContext>> Create(Backend backend = Backend::kAny);

  virtual ~GlContext() = default;
  GlContext(const GlContext&) = delete;
  GlContext& operator=(const GlContext&) = delete;

  // "egl" or "osmesa".
  virtual absl::string_view backend() const = 0;

 protected:
  GlContext() = default;
};

}  // namespace hivewire

#endif  // HIVEWIRE_SERVER_SIM_GL_CONTEXT_H_
