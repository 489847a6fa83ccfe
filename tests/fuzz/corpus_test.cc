// Runs a fuzz target without a fuzzer: over its corpus, and over each of its files changed in some
// thousand ways, the same ones every time.
//
//   corpus_test FOLDER
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace {

constexpr int kMutationsPerFile = 300;

std::string folder;

std::vector<std::string> Corpus() {
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) paths.push_back(entry);
  std::sort(paths.begin(), paths.end());
  std::vector<std::string> inputs;
  for (const std::filesystem::path& path : paths) {
    std::ifstream file(path, std::ios::binary);
    inputs.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  }
  return inputs;
}

void RunOne(const std::string& input) {
  LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(input.data()), input.size());
}

std::string Mutated(std::string input, const std::string& other, std::mt19937& random) {
  for (unsigned times = 1 + random() % 4; times > 0; --times) {
    const size_t at = random() % (input.size() + 1);
    switch (random() % 4) {
      case 0:
        if (at < input.size()) input[at] = static_cast<char>(random());
        break;
      case 1:
        input.erase(at, random() % 16);
        break;
      case 2:
        input.insert(at, other.substr(random() % (other.size() + 1), random() % 32));
        break;
      default:
        if (at < input.size()) input[at] = static_cast<char>(input[at] ^ (1 << random() % 8));
    }
  }
  return input;
}

TEST(Fuzz, TheCorpusIsTakenWithoutHarm) {
  const std::vector<std::string> corpus = Corpus();
  ASSERT_FALSE(corpus.empty());
  for (const std::string& input : corpus) RunOne(input);
  RunOne("");
}

TEST(Fuzz, SoIsItChangedAtRandom) {
  const std::vector<std::string> corpus = Corpus();
  std::mt19937 random(1);
  for (const std::string& input : corpus) {
    for (int k = 0; k < kMutationsPerFile; ++k)
      RunOne(Mutated(input, corpus[random() % corpus.size()], random));
  }
}

}  // namespace

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  folder = argc > 1 ? argv[1] : ".";
  return RUN_ALL_TESTS();
}
