#include "policy/experience.h"

#include <gtest/gtest.h>

#include <limits>
#include <utility>

#include "absl/strings/match.h"

namespace hivewire {
namespace {

// Every number of it says where it belongs.
Experience Numbered(int first_lane, int num_lanes, int steps) {
  Experience experience;
  experience.shape = {2, 4, 3};
  for (int k = 0; k < num_lanes; ++k) experience.lanes.push_back(first_lane + k);
  experience.Resize(steps);
  for (size_t k = 0; k < experience.first_memory.size(); ++k) {
    experience.first_memory[k] = static_cast<float>(3 * first_lane) + static_cast<float>(k);
  }
  for (int t = 0; t <= steps; ++t) {
    for (int k = 0; k < num_lanes; ++k) {
      const size_t row = experience.row(t, static_cast<size_t>(k));
      const auto number = static_cast<float>(100 * t + first_lane + k);
      experience.observations[2 * row] = number;
      experience.observations[2 * row + 1] = -number;
      if (t == steps) continue;
      for (size_t i = 0; i < 4; ++i) {
        experience.actions[4 * row + i] = static_cast<char>(t + first_lane + k);
      }
      experience.log_probs[row] = -number;
      experience.rewards[row] = number;
      experience.valid[row] = 1;
      experience.versions[row] = static_cast<uint64_t>(7 + t);
    }
  }
  return experience;
}

void ExpectSame(const Experience& a, const Experience& b) {
  EXPECT_EQ(a.steps, b.steps);
  EXPECT_EQ(a.lanes, b.lanes);
  EXPECT_EQ(a.observations, b.observations);
  EXPECT_EQ(a.first_memory, b.first_memory);
  EXPECT_EQ(a.actions, b.actions);
  EXPECT_EQ(a.log_probs, b.log_probs);
  EXPECT_EQ(a.rewards, b.rewards);
  EXPECT_EQ(a.terminated, b.terminated);
  EXPECT_EQ(a.truncated, b.truncated);
  EXPECT_EQ(a.valid, b.valid);
  EXPECT_EQ(a.fault, b.fault);
  EXPECT_EQ(a.versions, b.versions);
}

TEST(Experience, LanesOfSeveralPartsAreThoseOfTheWhole) {
  std::vector<Experience> parts = {Numbered(0, 3, 5), Numbered(3, 1, 5), Numbered(4, 2, 5)};
  ExpectSame(JoinLanes(std::move(parts)), Numbered(0, 6, 5));
}

TEST(Experience, AFragmentBringsItBackAsItWas) {
  Experience sent = Numbered(4, 3, 5);
  const auto mark = [&sent](int step, size_t lane, auto Experience::*flags) {
    (sent.*flags)[sent.row(step, lane)] = 1;
  };
  mark(1, 0, &Experience::terminated);
  mark(2, 1, &Experience::truncated);
  mark(3, 2, &Experience::fault);
  sent.valid[sent.row(3, 2)] = sent.valid[sent.row(2, 0)] = 0;
  sent.episodes = {{10, 2, 4}, {20, 3, 5}};
  const auto come = FromFragment(ToFragment(sent), sent.shape, 4, 3);
  ASSERT_TRUE(come.ok()) << come.status();
  ExpectSame(*come, sent);
  ASSERT_EQ(come->episodes.size(), 2u);
  EXPECT_EQ(come->episodes[1].lane, 5);
  EXPECT_EQ(come->episodes[1].episode_return, 20);
}

TEST(Experience, OnlyEpisodesThatEndedInTheStepsThatCountAreTold) {
  Experience experience = Numbered(0, 2, 6);
  for (const int step : {1, 4}) experience.terminated[experience.row(step, 0)] = 1;
  experience.truncated[experience.row(2, 1)] = 1;
  experience.episodes = {{1, 2, 0}, {2, 3, 0}, {3, 3, 1}};
  EXPECT_EQ(EpisodesWithin(experience, 6).size(), 3u);
  EXPECT_EQ(EpisodesWithin(experience, 4).size(), 2u);
  EXPECT_EQ(EpisodesWithin(experience, 2).size(), 1u);
}

TEST(Experience, ALaneThatStandsThereTwiceTellsEachEpisodeOnce) {
  Experience first = Numbered(0, 1, 4), second = Numbered(0, 1, 4);
  first.terminated[first.row(1, 0)] = first.terminated[first.row(3, 0)] = 1;
  first.episodes = {{1, 2, 0}, {2, 2, 0}};
  for (const int step : {0, 2, 3}) second.terminated[second.row(step, 0)] = 1;
  second.episodes = {{3, 1, 0}, {4, 2, 0}, {5, 1, 0}};
  const Experience both = JoinLanes({first, second});
  const auto returns = [&](int steps) {
    std::vector<double> told;
    for (const EpisodeSummary& episode : EpisodesWithin(both, steps)) {
      told.push_back(episode.episode_return);
    }
    return told;
  };
  EXPECT_EQ(returns(4), (std::vector<double>{1, 2, 3, 4, 5}));
  EXPECT_EQ(returns(3), (std::vector<double>{1, 3, 4}));
}

TEST(Experience, AFragmentThatIsNotWhatItSaysIsRefused) {
  const Experience good = Numbered(0, 2, 4);
  const auto refusal = [&](auto spoil) {
    v1::Fragment fragment = ToFragment(good);
    spoil(fragment);
    return std::string(FromFragment(fragment, good.shape, 0, 2).status().message());
  };
  EXPECT_TRUE(absl::StrContains(refusal([](v1::Fragment& f) { f.set_length(0); }), "length"));
  EXPECT_TRUE(absl::StrContains(refusal([](v1::Fragment& f) { f.set_length(5); }), "payload"));
  EXPECT_TRUE(absl::StrContains(refusal([](v1::Fragment& f) { f.add_env_ids(2); }), "env_ids"));
  EXPECT_TRUE(absl::StrContains(refusal([](v1::Fragment& f) { f.mutable_layout()->set_hash(1); }),
                                "layout"));
  EXPECT_TRUE(absl::StrContains(
      refusal([](v1::Fragment& f) { f.mutable_last_observation()->pop_back(); }), "last_observ"));
  EXPECT_TRUE(absl::StrContains(refusal([](v1::Fragment& f) { f.add_episodes()->set_env_id(2); }),
                                "episodes"));
  Experience wild = good;
  wild.rewards[3] = std::numeric_limits<float>::infinity();
  const auto come = FromFragment(ToFragment(wild), wild.shape, 0, 2);
  EXPECT_TRUE(absl::StrContains(come.status().message(), "reward")) << come.status();
}

}  // namespace
}  // namespace hivewire
