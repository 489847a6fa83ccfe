#include "base/textproto.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/io/tokenizer.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "base/nearest.h"

namespace hivewire {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::DescriptorPool;
using google::protobuf::EnumDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::TextFormat;

// Text of `message` between `begin` and the next quote; empty where it has no such part.
std::string Quoted(const std::string& message, absl::string_view begin) {
  const size_t at = message.find(begin.data(), 0, begin.size());
  if (at == std::string::npos) return "";
  const size_t from = at + begin.size();
  return message.substr(from, message.find('"', from) - from);
}

// protobuf's parser says which field or enum value it does not know, but not which ones there are.
std::string HintFor(const Descriptor& root, const std::string& message) {
  const DescriptorPool& pool = *root.file()->pool();
  const std::string type = Quoted(message, "Message type \"");
  const std::string field = Quoted(message, "has no field named \"");
  std::vector<std::string> names;
  if (!field.empty()) {
    const Descriptor* descriptor = pool.FindMessageTypeByName(type);
    for (int i = 0; descriptor != nullptr && i < descriptor->field_count(); ++i)
      names.push_back(descriptor->field(i)->name());
    return NearestHint(field, names);
  }
  const std::string value = Quoted(message, "Unknown enumeration value of \"");
  if (!value.empty()) {
    // The message names the field alone, so its enum is looked for in all of the file's messages.
    const std::string owner = Quoted(message, "for field \"");
    for (int i = 0; i < root.file()->message_type_count(); ++i) {
      const FieldDescriptor* found = root.file()->message_type(i)->FindFieldByName(owner);
      const EnumDescriptor* type = found == nullptr ? nullptr : found->enum_type();
      for (int k = 0; type != nullptr && k < type->value_count(); ++k)
        names.push_back(type->value(k)->name());
    }
    if (!names.empty()) return NearestHint(value, names);
  }
  return "";
}

class FirstError : public google::protobuf::io::ErrorCollector {
 public:
  FirstError(const std::string& name, const Descriptor& root) : name_(name), root_(root) {}

  void AddError(int line, int column, const std::string& message) override {
    if (!message_.empty()) return;
    message_ = absl::StrCat(name_, ":", line + 1, ":", column + 1, ": ",
                            absl::StripSuffix(message, "."), HintFor(root_, message));
  }

  const std::string& message() const { return message_; }

 private:
  const std::string& name_;
  const Descriptor& root_;
  std::string message_;
};

}  // namespace

TextprotoFile::TextprotoFile(std::string name, const Descriptor* descriptor)
    : name_(std::move(name)),
      descriptor_(descriptor),
      locations_(std::make_unique<TextFormat::ParseInfoTree>()) {}

absl::StatusOr<TextprotoFile> TextprotoFile::Parse(std::string name, const std::string& text,
                                                   google::protobuf::Message& message) {
  TextprotoFile file(std::move(name), message.GetDescriptor());
  FirstError error(file.name_, *file.descriptor_);
  TextFormat::Parser parser;
  parser.RecordErrorsTo(&error);
  parser.WriteLocationsTo(file.locations_.get());
  if (!parser.ParseFromString(text, &message)) return absl::InvalidArgumentError(error.message());
  return file;
}

absl::StatusOr<TextprotoFile> TextprotoFile::Read(const std::string& path,
                                                  google::protobuf::Message& message) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  // A folder opens, but cannot be read.
  if (!in || !(text << in.rdbuf()))
    return absl::NotFoundError(absl::StrCat("cannot read ", path, ": ", std::strerror(errno)));
  return Parse(path, text.str(), message);
}

std::string TextprotoFile::Locate(absl::string_view field_path) const {
  const TextFormat::ParseInfoTree* tree = locations_.get();
  const Descriptor* descriptor = descriptor_;
  int line = 0;
  for (absl::string_view part : absl::StrSplit(field_path, '.')) {
    const std::vector<std::string> name_and_index = absl::StrSplit(part, absl::ByAnyChar("[]"));
    const FieldDescriptor* field =
        descriptor == nullptr ? nullptr : descriptor->FindFieldByName(name_and_index[0]);
    if (field == nullptr || tree == nullptr) break;
    int index = field->is_repeated() ? 0 : -1;
    if (name_and_index.size() > 1 && !absl::SimpleAtoi(name_and_index[1], &index)) break;
    const TextFormat::ParseLocation location = tree->GetLocation(field, index);
    if (location.line < 0) break;
    line = location.line;
    descriptor = field->message_type();
    tree = descriptor == nullptr ? nullptr : tree->GetTreeForNested(field, index);
  }
  return absl::StrCat(name_, ":", line + 1);
}

}  // namespace hivewire
