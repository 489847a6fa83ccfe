// Actions without a policy: random ones, drawn as Gymnasium's spaces draw them, and zeros.
//
// Deterministic: the same spec, seed and calls give the same actions. One thread at a time.
#ifndef HIVEWIRE_CLIENT_ACTION_SAMPLER_H_
#define HIVEWIRE_CLIENT_ACTION_SAMPLER_H_

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "hivewire/v1/spec.pb.h"

namespace hivewire {

class ActionSampler {
 public:
  enum class Kind {
    // Uniform between two bounds, exponential from one, normal without.
    kRandom,
    // Zero, or the bound next to it; the first value of a discrete leaf.
    kZero,
  };

  // `sent`: the leaves as VectorEnv::action_leaves() has them, in the spec's order.
  ActionSampler(Kind kind, const v1::EnvSpec& spec, absl::Span<const v1::LayoutLeaf> sent,
                uint64_t seed);

  // Actions for `num_rows` lanes in the form that VectorEnv::Step takes.
  void Sample(int num_rows, std::string& actions);

 private:
  struct Element {
    double low, high;
  };
  struct Leaf {
    v1::DType dtype;
    bool discrete;
    std::vector<Element> elements;
  };

  double Draw(const Leaf& leaf, const Element& element);
  double Uniform();

  const Kind kind_;
  std::vector<Leaf> leaves_;
  std::mt19937_64 generator_;
};

}  // namespace hivewire

#endif  // HIVEWIRE_CLIENT_ACTION_SAMPLER_H_
