#include "server/tasks/composed/frame.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "server/tasks/composed/model_names.h"

namespace hivewire {
namespace {

constexpr double kWorldAxes[9] = {1, 0, 0, 0, 1, 0, 0, 0, 1};

}  // namespace

absl::StatusOr<Frame> Frame::Compile(const v1::Frame& proto, const mjModel* model,
                                     absl::string_view field) {
  Frame frame;
  const std::string* name = nullptr;
  const char* kind = nullptr;
  switch (proto.kind_case()) {
    case v1::Frame::kBody:
      frame.type_ = mjOBJ_BODY;
      name = &proto.body();
      kind = "body";
      break;
    case v1::Frame::kSite:
      frame.type_ = mjOBJ_SITE;
      name = &proto.site();
      kind = "site";
      break;
    case v1::Frame::kGeom:
      frame.type_ = mjOBJ_GEOM;
      name = &proto.geom();
      kind = "geom";
      break;
    case v1::Frame::kPoint:
      if (proto.point().values_size() != 3)
        return FieldError(
            absl::StrCat(field, ".point"),
            absl::StrCat("has ", proto.point().values_size(), " values; a point has 3"));
      std::copy_n(proto.point().values().begin(), 3, frame.point_.begin());
      return frame;
    case v1::Frame::KIND_NOT_SET:
      return FieldError(field, "names no place; one of body, site, geom, point is needed");
  }
  const auto id = FindPart(model, frame.type_, *name, absl::StrCat(field, ".", kind));
  if (!id.ok()) return id.status();
  frame.id_ = *id;
  if (frame.type_ == mjOBJ_BODY) frame.type_ = mjOBJ_XBODY;
  return frame;
}

const double* Frame::Position(const mjData* data) const {
  switch (type_) {
    case mjOBJ_XBODY:
      return data->xpos + 3 * id_;
    case mjOBJ_SITE:
      return data->site_xpos + 3 * id_;
    case mjOBJ_GEOM:
      return data->geom_xpos + 3 * id_;
    default:
      return point_.data();
  }
}

const double* Frame::Axes(const mjData* data) const {
  switch (type_) {
    case mjOBJ_XBODY:
      return data->xmat + 9 * id_;
    case mjOBJ_SITE:
      return data->site_xmat + 9 * id_;
    case mjOBJ_GEOM:
      return data->geom_xmat + 9 * id_;
    default:
      return kWorldAxes;
  }
}

void Frame::Velocity(const mjModel* model, const mjData* data, double* out) const {
  if (type_ == mjOBJ_UNKNOWN) {
    std::fill_n(out, 6, 0.0);
    return;
  }
  mj_objectVelocity(model, data, type_, id_, out, /*flg_local=*/0);
}

}  // namespace hivewire
