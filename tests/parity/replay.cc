// Replays trajectories of reference implementations (see generate.py) in our pools and compares.
//
//   replay FILE...
//
// Observations must be equal to the last bit, terminated and truncated equal, rewards and info
// leaves equal to 1e-12 relative to their size (sums may be rounded in another order). Prints a row
// a case with the largest difference of each field; exit status 1 for a difference, 2 for a file
// that cannot be read.
#include <algorithm>
#include <cstdio>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "server/pool/workers.h"
#include "server/tasks/registry.h"
#include "tests/parity/comparison.h"
#include "tests/parity/pool_replay.h"
#include "tests/parity/trajectory.h"

namespace hivewire {
namespace {

constexpr int kWorkers = 2;

// "0" for equality to the last bit.
std::string Largest(const Difference& difference) {
  if (difference.unequal == 0) return "0";
  char text[32];
  std::snprintf(text, sizeof(text), "%.1e", difference.largest);
  return text;
}

// The info leaf that is farthest off, as "1.1e-16 distance_from_origin".
std::string LargestInfo(const Trajectory& reference, const Comparison& comparison) {
  if (reference.info.empty()) return "none";
  const auto worst = std::max_element(
      comparison.info.begin(), comparison.info.end(),
      [](const Difference& a, const Difference& b) { return a.largest < b.largest; });
  if (worst->unequal == 0) return "0";
  const size_t leaf = static_cast<size_t>(worst - comparison.info.begin());
  return absl::StrCat(Largest(*worst), " ", reference.info[leaf].name);
}

int Main(int argc, char** argv) {
  const absl::StatusOr<Registry> registry = Registry::Builtin();
  if (!registry.ok()) {
    std::fprintf(stderr, "%s\n", std::string(registry.status().message()).c_str());
    return 2;
  }
  Workers workers(kWorkers);
  int passed = 0, failed = 0;
  std::printf("largest difference from the original, relative to max(1, |original|)\n");
  std::printf("%-44s %6s %6s %12s %8s %11s %10s %s\n", "case", "steps", "resets", "observation",
              "reward", "terminated", "truncated", "info");
  for (int k = 1; k < argc; ++k) {
    const absl::StatusOr<Trajectory> reference = ReadTrajectory(argv[k]);
    if (!reference.ok()) {
      std::fprintf(stderr, "%s\n", std::string(reference.status().message()).c_str());
      return 2;
    }
    const absl::StatusOr<Comparison> comparison = ReplayInPool(*registry, workers, *reference);
    const bool ok = comparison.ok() && comparison->passed();
    ++(ok ? passed : failed);
    if (!comparison.ok()) {
      std::printf("%-44s FAILED: %s\n", reference->name.c_str(),
                  std::string(comparison.status().message()).c_str());
      continue;
    }
    std::printf("%-44s %6zu %6zu %12s %8s %11s %10s %s%s\n", reference->name.c_str(),
                comparison->steps, comparison->resets, Largest(comparison->observation).c_str(),
                Largest(comparison->reward).c_str(), Largest(comparison->terminated).c_str(),
                Largest(comparison->truncated).c_str(),
                LargestInfo(*reference, *comparison).c_str(), ok ? "" : "  FAILED");
  }
  std::printf("trajectories: %d passed, %d failed\n", passed, failed);
  return failed == 0 && passed > 0 ? 0 : 1;
}

}  // namespace
}  // namespace hivewire

int main(int argc, char** argv) { return hivewire::Main(argc, argv); }
