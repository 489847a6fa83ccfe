#include "server/sim/shadow_maps.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace hivewire {
namespace {

constexpr int kMaxErrors = 8;

}  // namespace

bool ShadowMaps::Casters::Read(const mjvScene& scene) {
  geoms.clear();
  lights.clear();
  for (int k = 0; k < scene.ngeom; ++k) {
    const mjvGeom& geom = scene.geoms[k];
    if (geom.type == mjGEOM_LINE || geom.category == mjCAT_DECOR) continue;  // cast none
    // Skins' and flexes' vertices are the scene's; a triangle has effects on the geoms after it.
    if (geom.type == mjGEOM_FLEX || geom.type == mjGEOM_SKIN || geom.type == mjGEOM_TRIANGLE)
      return false;
    Geom& caster = geoms.emplace_back();
    caster.type = geom.type;
    caster.dataid = geom.dataid;
    std::copy(std::begin(geom.size), std::end(geom.size), caster.size);
    std::copy(std::begin(geom.pos), std::end(geom.pos), caster.pos);
    std::copy(std::begin(geom.mat), std::end(geom.mat), caster.mat);
  }
  for (int k = 0; k < std::min(scene.nlight, mjMAXLIGHT); ++k) {
    const mjvLight& light = scene.lights[k];
    if (!light.castshadow) continue;
    if (light.type != mjLIGHT_DIRECTIONAL && light.type != mjLIGHT_SPOT) continue;  // not drawn
    Light& caster = lights.emplace_back();
    caster.type = light.type;
    caster.cutoff = light.cutoff;
    std::copy(std::begin(light.pos), std::end(light.pos), caster.pos);
    std::copy(std::begin(light.dir), std::end(light.dir), caster.dir);
  }
  for (int k = 0; k < 2; ++k) {
    near[k] = scene.camera[k].frustum_near;
    far[k] = scene.camera[k].frustum_far;
  }
  wireframe = scene.flags[mjRND_WIREFRAME];
  return !lights.empty() && scene.stereo == mjSTEREO_NONE;
}

ShadowMaps::ShadowMaps(mjrContext& context)
    : context_(context),
      gl_(GlFunctions::Get()),
      own_{context.shadowFBO, context.shadowTex},
      maps_{own_} {}

ShadowMaps::~ShadowMaps() {
  // An engine error may have left the drawing in the middle.
  WatchFramebuffers(nullptr);
  if (leaving_out_) gl_->end_list();
  context_.shadowTex = own_.texture;
  for (size_t k = 1; k < maps_.size(); ++k) {
    gl_->delete_framebuffers(1, &maps_[k].framebuffer);
    gl_->delete_textures(1, &maps_[k].texture);
  }
  if (list_ != 0) gl_->delete_lists(list_, 1);
}

void ShadowMaps::Render(const mjrRect& viewport, mjvScene& scene) {
  const bool casts = gl_ != nullptr && own_.framebuffer != 0 && scene.flags[mjRND_SHADOW] &&
                     !scene.flags[mjRND_SEGMENT];
  if (!casts) {
    mjr_render(viewport, &scene, &context_);  // leaves the maps alone
    return;
  }
  const bool shareable = now_.Read(scene);
  const bool same = shareable && known_ && now_ == before_;
  sharing_ |= same;
  shared_ = same && held_;
  if (!shared_) held_ = shareable && sharing_ && MakeMaps(now_.lights.size());
  if (held_) {
    next_ = 0;
    WatchFramebuffers(this);
  }
  mjr_render(viewport, &scene, &context_);
  if (held_) {
    WatchFramebuffers(nullptr);
    context_.shadowTex = own_.texture;
    held_ = next_ == now_.lights.size();  // else nobody told us, and nothing was shared
  }
  known_ = shareable;
  std::swap(now_, before_);
}

// mjr_render binds its map's frame buffer before it draws a light's map, then that of the image
// again, and looks the texture up in the context after that.
void ShadowMaps::Bind(GLenum target, GLuint framebuffer) {
  if (std::exchange(leaving_out_, false)) gl_->end_list();
  if (framebuffer != own_.framebuffer || next_ == maps_.size()) {
    gl_->bind_framebuffer(target, framebuffer);
    return;
  }
  const Map& map = maps_[next_++];
  context_.shadowTex = map.texture;
  if (shared_) {
    // Written down until the next frame buffer is bound, and not executed. What of GL's state would
    // have been changed until then is set again after it.
    gl_->new_list(list_, GL_COMPILE);
    leaving_out_ = true;
  } else {
    gl_->bind_framebuffer(target, map.framebuffer);
  }
}

bool ShadowMaps::MakeMaps(size_t lights) {
  if (list_ == 0) list_ = gl_->gen_lists(1);
  // Errors that MuJoCo left unread are not ours. (GL keeps one of a kind; a lost context, the
  // same.)
  for (int k = 0; k < kMaxErrors && gl_->get_error() != GL_NO_ERROR; ++k) {
  }
  while (maps_.size() < lights) {
    Map map = {};
    gl_->gen_framebuffers(1, &map.framebuffer);
    gl_->gen_textures(1, &map.texture);
    // As mjr_makeContext makes its own.
    gl_->bind_texture(GL_TEXTURE_2D, map.texture);
    gl_->tex_image_2d(GL_TEXTURE_2D, 0, GL_DEPTH24_STENCIL8, context_.shadowSize,
                      context_.shadowSize, 0, GL_DEPTH_STENCIL, GL_UNSIGNED_INT_24_8, nullptr);
    gl_->tex_parameter(GL_TEXTURE_2D, GL_TEXTURE_MIN_FILTER, GL_NEAREST);
    gl_->tex_parameter(GL_TEXTURE_2D, GL_TEXTURE_MAG_FILTER, GL_NEAREST);
    gl_->tex_parameter(GL_TEXTURE_2D, GL_TEXTURE_WRAP_S, GL_CLAMP_TO_EDGE);
    gl_->tex_parameter(GL_TEXTURE_2D, GL_TEXTURE_WRAP_T, GL_CLAMP_TO_EDGE);
    gl_->tex_parameter(GL_TEXTURE_2D, GL_TEXTURE_COMPARE_MODE, GL_COMPARE_R_TO_TEXTURE);
    gl_->tex_parameter(GL_TEXTURE_2D, GL_TEXTURE_COMPARE_FUNC, GL_GEQUAL);
    gl_->tex_parameter(GL_TEXTURE_2D, GL_DEPTH_TEXTURE_MODE, GL_INTENSITY);
    gl_->bind_framebuffer(GL_FRAMEBUFFER, map.framebuffer);
    gl_->framebuffer_texture_2d(GL_FRAMEBUFFER, GL_DEPTH_ATTACHMENT, GL_TEXTURE_2D, map.texture, 0);
    gl_->draw_buffer(GL_NONE);
    gl_->read_buffer(GL_NONE);
    const bool complete =
        gl_->check_framebuffer_status(GL_FRAMEBUFFER) == GL_FRAMEBUFFER_COMPLETE &&
        gl_->get_error() == GL_NO_ERROR;
    gl_->bind_framebuffer(GL_FRAMEBUFFER, context_.offFBO);
    if (!complete) {
      gl_->delete_framebuffers(1, &map.framebuffer);
      gl_->delete_textures(1, &map.texture);
      return false;
    }
    maps_.push_back(map);
  }
  return true;
}

}  // namespace hivewire
