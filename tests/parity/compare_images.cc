// Draws what a reference drew (see images.py), through a server's Render, and compares.
//
//   compare_images FILE...
//
// Every pixel must be equal: both sides draw with the same OpenGL, which MUJOCO_GL names. Prints a
// row a case; exit status 1 for a difference, 2 for a file that cannot be read.
#include <spdlog/spdlog.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "client/control_client.h"
#include "server/rpc/env_server.h"
#include "server/tasks/registry.h"
#include "tests/testing/short_folder.h"

namespace hivewire {
namespace {

struct ImageCase {
  std::string env_id, camera;
  std::map<std::string, v1::Value> options;
  uint64_t seed = 0;
  uint32_t width = 0, height = 0;
  std::vector<int> moments;          // numbers of steps, ascending
  std::vector<std::string> actions;  // by step, float32
  std::vector<std::string> images;   // by moment
};

constexpr char kConfig[] = "default_camera_config.";

v1::Value NumberOrList(const std::string& text) {
  std::istringstream words(text);
  v1::DoubleList list;
  for (double number; words >> number;) list.add_values(number);
  v1::Value value;
  if (list.values_size() == 1) {
    value.set_double_value(list.values(0));
  } else {
    *value.mutable_double_list() = std::move(list);
  }
  return value;
}

absl::StatusOr<ImageCase> ReadCase(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::map<std::string, std::string> header;
  std::string line;
  while (std::getline(file, line) && !line.empty()) {
    const size_t space = line.find(' ');
    header[line.substr(0, space)] = space == std::string::npos ? "" : line.substr(space + 1);
  }
  const auto number = [&header](const char* key) { return std::atoi(header[key].c_str()); };
  ImageCase result;
  result.env_id = header["env"];
  result.camera = header["camera"];
  result.seed = static_cast<uint64_t>(number("seed"));
  result.width = static_cast<uint32_t>(number("width"));
  result.height = static_cast<uint32_t>(number("height"));
  for (const auto& [key, value] : header) {
    if (key.rfind(kConfig, 0) == 0) result.options[key] = NumberOrList(value);
  }
  std::istringstream moments(header["moments"]);
  for (int moment; moments >> moment;) result.moments.push_back(moment);
  const auto read = [&file](size_t bytes) {
    std::string block(bytes, '\0');
    file.read(block.data(), static_cast<std::streamsize>(bytes));
    return block;
  };
  const size_t action_bytes = static_cast<size_t>(number("action_elements")) * sizeof(float);
  for (int step = 0; !result.moments.empty() && step < result.moments.back(); ++step)
    result.actions.push_back(read(action_bytes));
  for (size_t k = 0; k < result.moments.size(); ++k)
    result.images.push_back(read(size_t{3} * result.width * result.height));
  if (!file || result.images.empty())
    return absl::InvalidArgumentError(absl::StrCat(path, ": not whole; write it again"));
  return result;
}

// The largest difference of a pixel's colour, 0 … 255.
int LargestDifference(const std::string& ours, const std::string& reference) {
  int largest = ours.size() == reference.size() ? 0 : 255;
  for (size_t k = 0; k < std::min(ours.size(), reference.size()); ++k) {
    largest = std::max(
        largest, std::abs(static_cast<uint8_t>(ours[k]) - static_cast<uint8_t>(reference[k])));
  }
  return largest;
}

absl::StatusOr<int> Compare(ControlClient& client, const ImageCase& reference) {
  v1::CreatePoolRequest create;
  create.set_env_id(reference.env_id);
  create.set_num_envs(1);
  create.mutable_options()->insert(reference.options.begin(), reference.options.end());
  const auto pool = client.CreatePool(create);
  if (!pool.ok()) return pool.status();
  const auto address = [&pool](auto request) {
    request.set_pool_id(pool->pool().pool_id());
    request.set_lease_token(pool->lease_token());
    return request;
  };
  auto reset = address(v1::ResetRequest());
  reset.add_seeds(reference.seed);
  absl::Status status = client.Reset(reset).status();
  int largest = 0, steps = 0;
  for (size_t k = 0; status.ok() && k < reference.moments.size(); ++k) {
    for (; status.ok() && steps < reference.moments[k]; ++steps) {
      auto step = address(v1::StepRequest());
      step.set_actions(reference.actions[static_cast<size_t>(steps)]);
      status = client.Step(step).status();
    }
    if (!status.ok()) break;
    auto render = address(v1::RenderRequest());
    render.set_camera(reference.camera);
    render.set_width(reference.width);
    render.set_height(reference.height);
    render.set_format(v1::IMAGE_FORMAT_RAW_RGB);
    const auto image = client.Render(render);
    status = image.status();
    if (status.ok())
      largest = std::max(largest, LargestDifference(image->image(), reference.images[k]));
  }
  if (!status.ok()) return status;
  status = client.ReleasePool(address(v1::ReleasePoolRequest())).status();
  if (!status.ok()) return status;
  return largest;
}

int Main(int argc, char** argv) {
  spdlog::set_level(spdlog::level::warn);
  const ShortFolder folder;
  const absl::StatusOr<Registry> registry = Registry::Builtin();
  EnvServerOptions options;
  const auto listen = ParseListenAddresses(folder.Socket("env.sock"));
  if (!registry.ok() || !listen.ok()) return 2;
  options.listen = *listen;
  const auto server = EnvServer::Start(*registry, options);
  auto client = server.ok() ? ControlClient::Connect((*server)->addresses()[0], {})
                            : absl::StatusOr<std::unique_ptr<ControlClient>>(server.status());
  if (!client.ok()) {
    std::fprintf(stderr, "%s\n", client.status().ToString().c_str());
    return 2;
  }
  int passed = 0, failed = 0;
  std::printf("%-28s %-10s %-10s %6s %s\n", "env", "camera", "size", "images",
              "largest difference of a pixel, of 255");
  for (int k = 1; k < argc; ++k) {
    const absl::StatusOr<ImageCase> reference = ReadCase(argv[k]);
    if (!reference.ok()) {
      std::fprintf(stderr, "%s\n", std::string(reference.status().message()).c_str());
      return 2;
    }
    const absl::StatusOr<int> largest = Compare(**client, *reference);
    const bool ok = largest.ok() && *largest == 0;
    ++(ok ? passed : failed);
    std::printf("%-28s %-10s %-10s %6zu %s%s\n", reference->env_id.c_str(),
                !reference->options.empty() ? "configured"
                : reference->camera.empty() ? "default"
                                            : reference->camera.c_str(),
                absl::StrCat(reference->width, "x", reference->height).c_str(),
                reference->images.size(),
                largest.ok() ? absl::StrCat(*largest).c_str()
                             : std::string(largest.status().message()).c_str(),
                ok ? "" : "  FAILED");
  }
  std::printf("images: %d passed, %d failed\n", passed, failed);
  return failed == 0 && passed > 0 ? 0 : 1;
}

}  // namespace
}  // namespace hivewire

int main(int argc, char** argv) { return hivewire::Main(argc, argv); }
