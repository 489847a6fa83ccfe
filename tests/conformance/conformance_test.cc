// The suite that hivectl runs against any address, against our own server over every carrier.
#include "client/conformance/conformance.h"

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <tuple>
#include <utility>

#include "tests/conformance/ways.h"

namespace hivewire {
namespace {

using Case = std::tuple<Way, ConformanceCheck>;

class ConformanceTest : public testing::TestWithParam<Case> {
 protected:
  static void TearDownTestSuite() { hosts_.clear(); }

  void Run(const std::string& env_id) {
    const auto& [way, check] = GetParam();
    std::unique_ptr<Host>& host = hosts_[way];
    if (host == nullptr) {
      auto started = Host::Start(way);
      ASSERT_TRUE(started.ok()) << started.status();
      host = *std::move(started);
    }
    ConformanceTarget target;
    target.server = host->server();
    target.connection = host->connection();
    target.carriers = host->carriers();
    target.env_id = env_id;
    const absl::Status status = check.run(target);
    EXPECT_TRUE(status.ok()) << status;
  }

 private:
  // One for all checks: what one leaves behind must not disturb the next.
  static inline std::map<Way, std::unique_ptr<Host>> hosts_;
};

TEST_P(ConformanceTest, HoldsForDiscreteActions) { Run("CartPole-v1"); }

TEST_P(ConformanceTest, HoldsForBoxActions) { Run("HalfCheetah-v5"); }

std::string Name(const testing::TestParamInfo<Case>& info) {
  return NameOf(std::get<0>(info.param)) + "_" + std::get<1>(info.param).name;
}

INSTANTIATE_TEST_SUITE_P(Steps, ConformanceTest,
                         testing::Combine(testing::Values(Way::kInproc, Way::kUnix, Way::kTcp,
                                                          Way::kTls, Way::kTwoServers),
                                          testing::ValuesIn(StepChecks())),
                         Name);

INSTANTIATE_TEST_SUITE_P(Wire, ConformanceTest,
                         testing::Combine(testing::Values(Way::kUnix, Way::kTcp, Way::kTls),
                                          testing::ValuesIn(WireChecks())),
                         Name);

}  // namespace

// What GoogleTest shows for a parameter.
void PrintTo(const ConformanceCheck& check, std::ostream* out) { *out << check.name; }

}  // namespace hivewire
