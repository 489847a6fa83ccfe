#include "policy/nn/companion.h"

#include <gtest/gtest.h>

#include <stdexcept>
#include <thread>

namespace hivewire {
namespace {

TEST(Companion, RunsBothAndReturnsWhenBothAreDone) {
  Companion companion;
  int there = 0, here = 0;
  for (int i = 0; i < 1000; ++i) companion.RunBoth([&] { ++there; }, [&] { ++here; });
  EXPECT_EQ(there, 1000);
  EXPECT_EQ(here, 1000);
}

TEST(Companion, TheOtherTaskRunsOnAThreadOfItsOwn) {
  Companion companion;
  std::thread::id there, here;
  companion.RunBoth([&] { there = std::this_thread::get_id(); },
                    [&] { here = std::this_thread::get_id(); });
  EXPECT_EQ(here, std::this_thread::get_id());
  EXPECT_NE(there, here);
}

TEST(Companion, WhatEitherThrowsIsThrownToTheCallerAndItGoesOn) {
  Companion companion;
  const auto fine = [] {};
  const auto bad = [] { throw std::runtime_error("bad"); };
  EXPECT_THROW(companion.RunBoth(bad, fine), std::runtime_error);
  EXPECT_THROW(companion.RunBoth(fine, bad), std::runtime_error);
  int ran = 0;
  companion.RunBoth([&] { ++ran; }, fine);
  EXPECT_EQ(ran, 1);
}

}  // namespace
}  // namespace hivewire
