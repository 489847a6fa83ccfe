// Draws what RoboHive's visual ids show, in a pool, for robohive_images.py to compare with MuJoCo's
// own renderer.
//
//   record_images FOLDER
//
// Exit status 3 where this machine has no SimHive.
//
// For each env it writes FOLDER/ENV.mjb, the model as the env has it after some steps, and
// FOLDER/ENV.images: a line of JSON, the engine's state (float64), and the image leaves one after
// the other. Both sides draw with the same OpenGL, which MUJOCO_GL names.
#include <cstdio>
#include <fstream>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "base/error.h"
#include "server/pool/pool.h"
#include "server/tasks/registry.h"

namespace hivewire {
namespace {

constexpr uint64_t kSeed = 5;
constexpr int kSteps = 1;
constexpr int kNoSimHive = 3;  // exit status
constexpr absl::Duration kPatience = absl::Minutes(2);

struct ImageCase {
  const char* env_id;
  std::vector<std::string> visual_keys = {};  // none: the env's own
};

// Every family, and every kind of key.
std::vector<ImageCase> Cases() {
  return {
      {"FrankaReachRandom_v2d-v0"},
      {"FrankaReachRandom-v0", {"rgb:top_cam:96x128:1d", "d:top_cam:96x128:2d"}},
      {"FrankaPickPlaceRandom_v2d-v0"},
      {"FK1_Knob1OnRandom_v2d-v4"},
      {"FK1_Knob1OnRandom-v4", {"rgb:left_cam:84x84:2d", "d:left_cam:84x84:2d"}},
      {"visual_franka_micro_random-v3"},
      {"door_v2d-v1"},
      {"baoding-v1", {"rgb:cam0:64x96:2d", "d:cam0:64x96:2d"}},
      {"TrifingerReachRandom_v2d-v0"},
      {"DKittyWalkRandom_v2d-v0"},
      {"rpFrankaRobotiqData-v0"},
  };
}

absl::Status Record(const Registry& registry, Workers& workers, const ImageCase& image_case,
                    const std::string& path) {
  Options options;
  for (const std::string& key : image_case.visual_keys)
    options["visual_keys"].mutable_string_list()->add_values(key);
  auto task = registry.Make(image_case.env_id, options);
  if (!task.ok()) return task.status();
  v1::CreatePoolRequest request;
  request.set_num_envs(1);
  auto spec = PoolSpec::Make(*task, request);
  if (!spec.ok()) return spec.status();
  const auto pool = Pool::Create(*std::move(spec), workers);
  if (!pool.ok()) return pool.status();

  v1::Batch batch;
  v1::ResetLanes reset;
  reset.add_env_ids(0);
  reset.add_op_nos(1);
  reset.add_seeds(kSeed);
  absl::Status status = (*pool)->Reset(reset);
  if (status.ok()) status = (*pool)->Next(absl::Now() + kPatience, 1, batch);
  const int64_t elements = (*task)->spec().action(0).shape(0);
  const std::vector<float> action(static_cast<size_t>(elements), 0.4f);
  for (uint64_t step = 0; status.ok() && step < kSteps; ++step) {
    v1::StepLanes frame;
    frame.add_env_ids(0);
    frame.add_op_nos(step + 2);
    frame.set_actions(
        std::string(reinterpret_cast<const char*>(action.data()), action.size() * sizeof(float)));
    status = (*pool)->Step(std::move(frame));
    if (status.ok()) status = (*pool)->Next(absl::Now() + kPatience, step + 2, batch);
  }
  if (!status.ok()) return status;
  if (batch.faults_size() > 0) return absl::InternalError(batch.faults(0).status().message());

  const auto scene = (*pool)->SceneOf(0);
  const auto simulation = Simulation::Create((*task)->model());
  if (!scene.ok() || !simulation.ok()) return absl::InternalError("no scene");
  status = Simulation::Guard([&] {
    if (scene->edit_model) scene->edit_model((*simulation)->UseEdited(*task));
    mj_saveModel((*simulation)->model(), absl::StrCat(path, ".mjb").c_str(), nullptr, 0);
  });
  if (!status.ok()) return status;

  const PoolSpec& pool_spec = (*pool)->spec();
  std::vector<std::string> leaves;
  std::string images;
  pool_spec.result_layout().ForEachLeaf(1, [&](size_t leaf, size_t offset) {
    for (const RowLeaf& row : pool_spec.observation()) {
      if (row.layout_leaf != leaf || !row.image.has_value()) continue;
      leaves.push_back(absl::StrCat(R"({"camera": ")", row.image->camera, R"(", "height": )",
                                    row.image->height, R"(, "width": )", row.image->width,
                                    R"(, "depth": )", row.image->depth ? "true" : "false", "}"));
      images += batch.payload().substr(offset, pool_spec.result_layout().row_bytes(leaf));
    }
  });
  const auto state_bytes = static_cast<std::streamsize>(
      sizeof(double) * static_cast<size_t>((*task)->model()->integration_size()));
  std::ofstream file(absl::StrCat(path, ".images"), std::ios::binary);
  file << R"({"env": ")" << image_case.env_id << R"(", "state": )"
       << (*task)->model()->integration_size() << R"(, "leaves": [)" << absl::StrJoin(leaves, ", ")
       << "]}\n";
  file.write(reinterpret_cast<const char*>(scene->state.data()), state_bytes);
  file << images;
  file.close();
  return file ? absl::OkStatus() : absl::InternalError(absl::StrCat(path, ": cannot be written"));
}

int Main(const std::string& folder) {
  const auto registry = Registry::Builtin();
  if (!registry.ok()) return 2;
  Workers workers(1);
  int number = 0;
  for (const ImageCase& image_case : Cases()) {
    const std::string path = absl::StrCat(folder, "/", ++number, "-", image_case.env_id);
    const absl::Status status = Record(*registry, workers, image_case, path);
    if (!status.ok()) {
      std::fprintf(stderr, "%s: %s\n", image_case.env_id, std::string(status.message()).c_str());
      return ReasonOf(status) == v1::ERROR_REASON_NOT_SUPPORTED ? kNoSimHive : 1;
    }
  }
  return 0;
}

}  // namespace
}  // namespace hivewire

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "record_images: one folder is needed\n");
    return 2;
  }
  return hivewire::Main(argv[1]);
}
