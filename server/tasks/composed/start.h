// How the episodes of a composed env start: the Start of an env file, compiled for one model.
//
// Immutable after it is compiled.
#ifndef HIVEWIRE_SERVER_TASKS_COMPOSED_START_H_
#define HIVEWIRE_SERVER_TASKS_COMPOSED_START_H_

#include <mujoco/mujoco.h>

#include <array>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "hivewire/v1/config.pb.h"
#include "server/sim/numpy_rng.h"

namespace hivewire {

class StartState {
 public:
  // BAD_MODEL naming the field below `field`.
  static absl::StatusOr<StartState> Compile(const v1::Start& start, const mjModel* model,
                                            absl::string_view field);

  // Draws a state into `data`, which is as mj_resetData left it, and places of sites and bodies
  // into `edits`, of edits_size() numbers. Derived fields are not computed.
  void Draw(const mjModel* model, mjData* data, NumpyRng& rng, absl::Span<double> edits) const;

  size_t edits_size() const { return 3 * places_.size(); }
  // Puts sites and bodies where a draw put them.
  void EditModel(absl::Span<const double> edits, mjModel& model) const;

 private:
  // Numbers of one array of mjData, or of the edits where that is null.
  struct Target {
    mjtNum* mjData::*array;
    std::vector<int> index;
  };
  // A site or body whose place in the model is drawn.
  struct Place {
    mjtNum* mjModel::*array;
    int id;
    std::array<double, 3> base;  // in the model as it was compiled
  };
  // One value an element: low and high, or mean and deviation.
  struct Distribution {
    bool normal;
    std::vector<double> first, second;
  };
  struct Randomized {
    Target target;
    Distribution distribution;
    bool replace;
  };

  absl::StatusOr<Target> CompileTarget(const v1::Randomize& randomize, const mjModel* model,
                                       absl::string_view field);
  absl::StatusOr<Target> CompilePlace(mjtObj type, const std::string& name, const mjModel* model,
                                      absl::string_view field);
  static absl::StatusOr<Distribution> CompileUniform(const v1::Uniform& uniform, size_t size,
                                                     absl::string_view field);
  static absl::StatusOr<Distribution> CompileNormal(const v1::Normal& normal, size_t size,
                                                    absl::string_view field);
  absl::StatusOr<Randomized> CompileOne(const v1::Randomize& randomize, const mjModel* model,
                                        absl::string_view field);

  int keyframe_ = -1;
  std::vector<std::pair<int, double>> middles_;  // addresses in qpos, and values
  std::vector<Place> places_;
  std::vector<Randomized> randomized_;
};

}  // namespace hivewire

#endif  // HIVEWIRE_SERVER_TASKS_COMPOSED_START_H_
