#include "server/sim/gl_functions.h"

#include <EGL/egl.h>
#include <GL/osmesa.h>

#include <atomic>
#include <cstring>
#include <type_traits>

namespace hivewire {
namespace {

// Of the process, as GL's libraries and MuJoCo's table of their functions are.
std::atomic<GlLookup> process_lookup = nullptr;
thread_local FramebufferWatch* thread_watch = nullptr;

GlFunction Find(const char* name) {
  const GlLookup lookup = process_lookup;
  return lookup == nullptr ? nullptr : lookup(name);
}

void APIENTRY BindFramebuffer(GLenum target, GLuint framebuffer) {
  if (thread_watch != nullptr) {
    thread_watch->Bind(target, framebuffer);
  } else if (const GlFunctions* gl = GlFunctions::Get()) {
    gl->bind_framebuffer(target, framebuffer);
  }
}

bool Load(GlFunctions& gl) {
  const auto find = [](const char* name, auto& function) {
    function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(Find(name));
    return function != nullptr;
  };
  return find("glBindFramebuffer", gl.bind_framebuffer) &&
         find("glCheckFramebufferStatus", gl.check_framebuffer_status) &&
         find("glDeleteFramebuffers", gl.delete_framebuffers) &&
         find("glFramebufferTexture2D", gl.framebuffer_texture_2d) &&
         find("glGenFramebuffers", gl.gen_framebuffers) && find("glBindTexture", gl.bind_texture) &&
         find("glDeleteLists", gl.delete_lists) && find("glDeleteTextures", gl.delete_textures) &&
         find("glDrawBuffer", gl.draw_buffer) && find("glEndList", gl.end_list) &&
         find("glGenLists", gl.gen_lists) && find("glGenTextures", gl.gen_textures) &&
         find("glGetError", gl.get_error) && find("glNewList", gl.new_list) &&
         find("glReadBuffer", gl.read_buffer) && find("glTexImage2D", gl.tex_image_2d) &&
         find("glTexParameteri", gl.tex_parameter);
}

GlFunction FindWatched(const char* name) {
  const bool watched = std::strcmp(name, "glBindFramebuffer") == 0 && GlFunctions::Get() != nullptr;
  return watched ? reinterpret_cast<GlFunction>(&BindFramebuffer) : Find(name);
}

}  // namespace

void SetGlLookup(GlLookup lookup) { process_lookup = lookup; }

const GlFunctions* GlFunctions::Get() {
  static GlFunctions functions;
  static const bool complete = Load(functions);
  return complete ? &functions : nullptr;
}

void WatchFramebuffers(FramebufferWatch* watch) { thread_watch = watch; }

}  // namespace hivewire

// In place of libEGL's and libOSMesa's, for MuJoCo.
extern "C" __eglMustCastToProperFunctionPointerType eglGetProcAddress(const char* name) {
  return hivewire::FindWatched(name);
}
extern "C" OSMESAproc OSMesaGetProcAddress(const char* name) { return hivewire::FindWatched(name); }
