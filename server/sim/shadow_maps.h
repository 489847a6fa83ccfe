// Draws scenes as mjr_render does, pixel for pixel, but draws the shadow maps of a moment once for
// all of the cameras that look at it.
//
// A light's shadow map shows what the light sees, whatever camera the image is for; in software it
// costs most of an image. MuJoCo has one map, which it draws anew for each light of each image.
// Here each light has one, and while the lights and what casts shadows are those of the image
// before, drawing into them is left out.
//
// The further maps are made when two images in a row could have shared theirs: a lane of one camera
// needs no memory for them. They are as large as MuJoCo's: 64 MiB a light for a `shadowsize` of
// 4096.
//
// Of one mjrContext, used with it on its thread, and destroyed before it.
#ifndef HIVEWIRE_SERVER_SIM_SHADOW_MAPS_H_
#define HIVEWIRE_SERVER_SIM_SHADOW_MAPS_H_

#include <mujoco/mujoco.h>

#include <vector>

#include "server/sim/gl_functions.h"

namespace hivewire {

class ShadowMaps : private FramebufferWatch {
 public:
  // `context` is made already.
  explicit ShadowMaps(mjrContext& context);
  ~ShadowMaps();
  ShadowMaps(const ShadowMaps&) = delete;
  ShadowMaps& operator=(const ShadowMaps&) = delete;

  // mjr_render; may call the engine's error handler, as that may.
  void Render(const mjrRect& viewport, mjvScene& scene);
  // Whether the last image with shadows took the maps of the one before it.
  bool shared() const { return shared_; }

 private:
  // All that a scene's shadow maps depend on.
  struct Casters {
    struct Geom {
      int type, dataid;
      float size[3], pos[3], mat[9];
      bool operator==(const Geom&) const = default;
    };
    struct Light {
      int type;
      float pos[3], dir[3], cutoff;
      bool operator==(const Light&) const = default;
    };

    // False for a scene with geoms whose shape is told elsewhere: its maps are not to be shared.
    bool Read(const mjvScene& scene);
    bool operator==(const Casters&) const = default;

    std::vector<Geom> geoms;
    std::vector<Light> lights;
    float near[2] = {}, far[2] = {};  // of the cameras, and of the lights
    bool wireframe = false;
  };
  struct Map {
    GLuint framebuffer, texture;
  };

  void Bind(GLenum target, GLuint framebuffer) override;
  // One for each light; false where GL has no more memory.
  bool MakeMaps(size_t lights);

  mjrContext& context_;
  const GlFunctions* const gl_;  // null: nothing is shared
  const Map own_;                // the context's
  std::vector<Map> maps_;        // the first is the context's own
  GLuint list_ = 0;              // takes the commands that are left out
  Casters now_, before_;
  bool known_ = false;    // before_ is that of the image before
  bool sharing_ = false;  // two images could have shared their maps
  bool held_ = false;     // maps_ show before_
  // Of the image in work:
  bool shared_ = false;
  bool leaving_out_ = false;
  size_t next_ = 0;  // light
};

}  // namespace hivewire

#endif  // HIVEWIRE_SERVER_SIM_SHADOW_MAPS_H_
