// docs/protocol.md tells the truth: its bytes are those on the wire, its errors those of
// base/error.
#include <gtest/gtest.h>

#include <cctype>
#include <cstring>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/error.h"
#include "base/file.h"
#include "base/layout.h"
#include "google/rpc/error_details.pb.h"
#include "tests/conformance/ways.h"

namespace hivewire {
namespace {

std::string Page() { return ReadFile("docs/protocol.md").value_or("no docs/protocol.md"); }

// The bytes of the block "```hex NAME": at the beginning of each line, up to two spaces.
std::string Bytes(const std::string& name) {
  const std::string page = Page();
  const std::string head = absl::StrCat("```hex ", name, "\n");
  const size_t begin = page.find(head);
  if (begin == std::string::npos) return absl::StrCat("there is no block ", name);
  const size_t first = begin + head.size();
  std::string digits;
  for (const absl::string_view line :
       absl::StrSplit(page.substr(first, page.find("```", first) - first), '\n')) {
    for (const char c : line.substr(0, line.find("  "))) {
      if (std::isxdigit(static_cast<unsigned char>(c))) digits.push_back(c);
    }
  }
  return absl::HexStringToBytes(digits);
}

// The conversation of the page: three lanes of CartPole-v1, reset with seeds 0, 1, 2, stepped with
// actions 1, 0, 1.
class ProtocolDoc : public testing::Test {
 protected:
  void SetUp() override {
    auto host = Host::Start(Way::kInproc);
    ASSERT_TRUE(host.ok()) << host.status();
    host_ = *std::move(host);
    v1::CreatePoolRequest request;
    request.set_env_id("CartPole-v1");
    request.set_num_envs(3);
    auto carrier = host_->carriers()("inproc:", {}, request);
    ASSERT_TRUE(carrier.ok()) << carrier.status();
    carrier_ = *std::move(carrier);
    ASSERT_TRUE(carrier_->SendReset({0, 1, 2}, {0, 1, 2}).ok());
    ASSERT_TRUE(carrier_->Receive(absl::InfiniteFuture()).ok());
    const int64_t actions[] = {1, 0, 1};
    actions_.assign(reinterpret_cast<const char*>(actions), sizeof(actions));
    ASSERT_TRUE(carrier_->SendStep({0, 1, 2}, actions_).ok());
    const auto answer = carrier_->Receive(absl::InfiniteFuture());
    ASSERT_TRUE(answer.ok()) << answer.status();
    payload_ = answer->batch->payload();
  }

  std::unique_ptr<Host> host_;
  std::unique_ptr<Carrier> carrier_;
  std::string actions_;
  std::string payload_;
};

TEST_F(ProtocolDoc, ShowsTheBytesOfAStep) {
  v1::ClientFrame frame;
  frame.set_seq(3);
  frame.mutable_step()->add_op_nos(2);
  frame.mutable_step()->set_actions(actions_);
  const std::string message = frame.SerializeAsString();
  const std::string prefix = {0, 0, 0, 0, static_cast<char>(message.size())};
  EXPECT_EQ(absl::BytesToHexString(Bytes("step")), absl::BytesToHexString(prefix + message));
}

TEST_F(ProtocolDoc, ShowsTheBytesOfItsAnswer) {
  const PayloadLayout layout(carrier_->pool().result_layout());
  ASSERT_EQ(payload_.size(), layout.PayloadBytes(3));
  EXPECT_EQ(payload_.size(), 344u);
  size_t leaf = 0;
  for (const v1::LayoutLeaf& described : carrier_->pool().result_layout().leaves()) {
    const std::string slab = payload_.substr(layout.Offset(leaf, 3), 3 * layout.row_bytes(leaf));
    ++leaf;
    if (described.name() == "seed" || described.name() == "episode") continue;
    EXPECT_EQ(absl::BytesToHexString(Bytes(described.name())), absl::BytesToHexString(slab))
        << described.name();
  }
}

TEST(ProtocolDocErrors, ListsEveryReasonWithItsCodeAndItsCure) {
  const std::string page = Page();
  for (int number = v1::ErrorReason_MIN + 1; number <= v1::ErrorReason_MAX; ++number) {
    const auto reason = static_cast<v1::ErrorReason>(number);
    const google::rpc::Status status = ToProto(MakeError(reason, "x"));
    google::rpc::ErrorInfo info;
    ASSERT_TRUE(info.ParseFromString(status.details(0).value()));
    const auto cure = info.metadata().find("recovery");
    const std::string line =
        absl::StrCat("| ", info.reason(), " | ",
                     absl::StatusCodeToString(static_cast<absl::StatusCode>(status.code())), " | ",
                     cure == info.metadata().end() ? "" : cure->second, " |");
    EXPECT_NE(page.find(line), std::string::npos) << "docs/protocol.md lacks\n" << line;
  }
}

}  // namespace
}  // namespace hivewire
