// See ../BUILD.
#ifndef HIVEWIRE_THIRD_PARTY_GLOO_CONTEXT_H_
#define HIVEWIRE_THIRD_PARTY_GLOO_CONTEXT_H_

#include <chrono>

namespace gloo {

class Context {
 public:
  void setTimeout(std::chrono::milliseconds timeout);
};

}  // namespace gloo

#endif  // HIVEWIRE_THIRD_PARTY_GLOO_CONTEXT_H_
