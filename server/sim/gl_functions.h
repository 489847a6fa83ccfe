// The functions of OpenGL, looked up at run time, and a watch on the one by which a drawing turns
// from one frame buffer to another.
//
// MuJoCo asks the process for OSMesaGetProcAddress and eglGetProcAddress before it draws the first
// time. Programs with this library export ours (see the BUILD file), which answer from the library
// that gl_context.h opened, whichever that is; only glBindFramebuffer gets in between. Where a
// program does not export them, MuJoCo draws as ever, unwatched.
#ifndef HIVEWIRE_SERVER_SIM_GL_FUNCTIONS_H_
#define HIVEWIRE_SERVER_SIM_GL_FUNCTIONS_H_

#include <GL/gl.h>
#include <GL/glext.h>

namespace hivewire {

using GlFunction = void (*)();
using GlLookup = GlFunction (*)(const char* name);

// Where functions come from, for the whole process. Called before anything is drawn.
void SetGlLookup(GlLookup lookup);

// What is asked of GL beside what MuJoCo asks.
struct GlFunctions {
  PFNGLBINDFRAMEBUFFERPROC bind_framebuffer;
  PFNGLCHECKFRAMEBUFFERSTATUSPROC check_framebuffer_status;
  PFNGLDELETEFRAMEBUFFERSPROC delete_framebuffers;
  PFNGLFRAMEBUFFERTEXTURE2DPROC framebuffer_texture_2d;
  PFNGLGENFRAMEBUFFERSPROC gen_framebuffers;
  decltype(&glBindTexture) bind_texture;
  decltype(&glDeleteLists) delete_lists;
  decltype(&glDeleteTextures) delete_textures;
  decltype(&glDrawBuffer) draw_buffer;
  decltype(&glEndList) end_list;
  decltype(&glGenLists) gen_lists;
  decltype(&glGenTextures) gen_textures;
  decltype(&glGetError) get_error;
  decltype(&glNewList) new_list;
  decltype(&glReadBuffer) read_buffer;
  decltype(&glTexImage2D) tex_image_2d;
  decltype(&glTexParameteri) tex_parameter;

  // Null where GL lacks one of them. A context is current.
  static const GlFunctions* Get();
};

// Told of a thread's glBindFramebuffer instead of GL.
class FramebufferWatch {
 public:
  virtual void Bind(GLenum target, GLuint framebuffer) = 0;

 protected:
  ~FramebufferWatch() = default;
};

// From here on the calling thread's watch; null for none.
void WatchFramebuffers(FramebufferWatch* watch);

}  // namespace hivewire

#endif  // HIVEWIRE_SERVER_SIM_GL_FUNCTIONS_H_
