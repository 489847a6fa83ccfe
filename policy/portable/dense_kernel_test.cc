#include "policy/portable/dense_kernel.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <random>

#include "policy/portable/network.h"

namespace hivewire {
namespace {

constexpr v1::Activation kActivations[] = {v1::ACTIVATION_UNSPECIFIED, v1::ACTIVATION_TANH,
                                           v1::ACTIVATION_RELU, v1::ACTIVATION_ELU};

double Reference(double x, v1::Activation activation) {
  switch (activation) {
    case v1::ACTIVATION_TANH:
      return std::tanh(x);
    case v1::ACTIVATION_RELU:
      return std::max(x, 0.0);
    case v1::ACTIVATION_ELU:
      return x > 0 ? x : std::expm1(x);
    default:
      return x;
  }
}

class Layer {
 public:
  Layer(uint32_t inputs, uint32_t outputs, v1::Activation activation) {
    layer_ = layers_.Add();
    layer_->set_inputs(inputs);
    layer_->set_outputs(outputs);
    layer_->set_activation(activation);
    layer_->mutable_weight()->resize(size_t{inputs} * outputs * sizeof(float));
    layer_->mutable_bias()->resize(outputs * sizeof(float));
  }

  void Randomize() {
    std::mt19937 random(5);
    for (std::string* bytes : {layer_->mutable_weight(), layer_->mutable_bias()}) {
      for (size_t k = 0; k < bytes->size(); k += sizeof(float)) {
        const float value = static_cast<float>(4.0 * random() / std::mt19937::max() - 2);
        std::memcpy(bytes->data() + k, &value, sizeof(value));
      }
    }
  }
  void SetWeight(size_t index, float value) {
    std::memcpy(layer_->mutable_weight()->data() + index * sizeof(float), &value, sizeof(value));
  }
  double Weight(size_t index) const { return At(layer_->weight(), index); }
  double Bias(size_t index) const { return At(layer_->bias(), index); }

  std::vector<float> Evaluate(DenseKernel kernel, const std::vector<float>& x, size_t rows) const {
    const Network network(layers_, kernel);
    Network::Scratch scratch;
    const float* y = network.Evaluate(x.data(), x.size() / rows, rows, scratch);
    std::vector<float> packed;
    for (size_t row = 0; row < rows; ++row) {
      const float* from = y + row * network.output_stride();
      packed.insert(packed.end(), from, from + network.outputs());
    }
    return packed;
  }

 private:
  static double At(const std::string& bytes, size_t index) {
    float value;
    std::memcpy(&value, bytes.data() + index * sizeof(float), sizeof(value));
    return value;
  }

  google::protobuf::RepeatedPtrField<v1::DenseLayer> layers_;
  v1::DenseLayer* layer_;
};

std::vector<float> Inputs(size_t count) {
  std::vector<float> x(count);
  for (size_t k = 0; k < count; ++k) x[k] = static_cast<float>(std::sin(0.7 * k));
  return x;
}

TEST(DenseKernel, ComputesALayerWhateverItsSizes) {
  for (const v1::Activation activation : kActivations) {
    for (const uint32_t outputs : {1u, 15u, 16u, 17u, 64u}) {
      constexpr uint32_t kInputs = 11;
      constexpr size_t kRows = 9;
      Layer layer(kInputs, outputs, activation);
      layer.Randomize();
      const std::vector<float> x = Inputs(kInputs * kRows);
      const std::vector<float> y = layer.Evaluate(BestDenseKernel(), x, kRows);
      ASSERT_EQ(y.size(), kRows * outputs);
      for (size_t row = 0; row < kRows; ++row) {
        for (size_t k = 0; k < outputs; ++k) {
          double sum = layer.Bias(k);
          for (size_t i = 0; i < kInputs; ++i)
            sum += layer.Weight(k * kInputs + i) * x[row * kInputs + i];
          EXPECT_NEAR(y[row * outputs + k], Reference(sum, activation), 1e-5);
        }
      }
    }
  }
}

TEST(DenseKernel, GivesTheSameBitsForEveryWidthOfVectorsAndEveryNumberOfRows) {
  for (const v1::Activation activation : kActivations) {
    Layer layer(37, 70, activation);
    layer.Randomize();
    constexpr size_t kRows = 23;
    const std::vector<float> x = Inputs(37 * kRows);
    const std::vector<float> expected = layer.Evaluate(RunnableDenseKernels()[0], x, kRows);
    for (const DenseKernel kernel : RunnableDenseKernels()) {
      EXPECT_EQ(layer.Evaluate(kernel, x, kRows), expected);
      for (size_t row = 0; row < kRows; ++row) {
        const std::vector<float> alone(x.begin() + static_cast<ptrdiff_t>(row * 37),
                                       x.begin() + static_cast<ptrdiff_t>((row + 1) * 37));
        const std::vector<float> y = layer.Evaluate(kernel, alone, 1);
        EXPECT_TRUE(
            std::equal(y.begin(), y.end(), expected.begin() + static_cast<ptrdiff_t>(row * 70)));
      }
    }
  }
}

TEST(DenseKernel, ActivatesWithinAMillionthFromTheSmallestToTheLargestNumbers) {
  std::vector<float> points = {0.0f, -0.0f, 1e-30f, -1e-30f, 88.0f, -88.0f, 1e30f, -1e30f};
  for (int k = -2000; k <= 2000; ++k) points.push_back(static_cast<float>(k) * 0.011f);
  for (const v1::Activation activation : kActivations) {
    Layer identity(1, 1, activation);
    identity.SetWeight(0, 1);
    for (const DenseKernel kernel : RunnableDenseKernels()) {
      const std::vector<float> y = identity.Evaluate(kernel, points, points.size());
      for (size_t k = 0; k < points.size(); ++k) {
        const double expected = Reference(points[k], activation);
        EXPECT_NEAR(y[k], expected, 1e-6 * std::abs(expected) + 1e-37) << points[k];
      }
    }
  }
}

TEST(DenseKernel, LetsNaNsThroughEveryActivation) {
  constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
  for (const v1::Activation activation : kActivations) {
    Layer identity(1, 1, activation);
    identity.SetWeight(0, 1);
    for (const DenseKernel kernel : RunnableDenseKernels())
      EXPECT_TRUE(std::isnan(identity.Evaluate(kernel, {kNaN}, 1)[0])) << activation;
  }
}

}  // namespace
}  // namespace hivewire
