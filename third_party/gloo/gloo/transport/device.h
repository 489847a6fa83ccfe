// See ../../BUILD.
#ifndef HIVEWIRE_THIRD_PARTY_GLOO_TRANSPORT_DEVICE_H_
#define HIVEWIRE_THIRD_PARTY_GLOO_TRANSPORT_DEVICE_H_

namespace gloo {
namespace transport {

class Device;

class UnboundBuffer {
 public:
  virtual ~UnboundBuffer() = 0;
};

}  // namespace transport
}  // namespace gloo

#endif  // HIVEWIRE_THIRD_PARTY_GLOO_TRANSPORT_DEVICE_H_
