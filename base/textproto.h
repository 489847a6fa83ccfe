// Textproto files, and where in them a field stands, so that every complaint about a file names the
// line.
//
// Immutable after it is made. It does not hold the message that it was parsed into.
#ifndef HIVEWIRE_BASE_TEXTPROTO_H_
#define HIVEWIRE_BASE_TEXTPROTO_H_

#include <google/protobuf/message.h>
#include <google/protobuf/text_format.h>

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace hivewire {

class TextprotoFile {
 public:
  // Parses `text` into `message`. INVALID_ARGUMENT "name:line:column: what" for the first mistake,
  // with the nearest names for a field or enum value that is unknown.
  static absl::StatusOr<TextprotoFile> Parse(std::string name, const std::string& text,
                                             google::protobuf::Message& message);

  // Likewise for a file; NOT_FOUND where it cannot be read.
  static absl::StatusOr<TextprotoFile> Read(const std::string& path,
                                            google::protobuf::Message& message);

  const std::string& name() const { return name_; }

  // "name:line" of a field, given as "envs[0].composed.reward[1].weight"; of the innermost message
  // around it that stands in the file where the field itself does not.
  std::string Locate(absl::string_view field_path) const;

 private:
  TextprotoFile(std::string name, const google::protobuf::Descriptor* descriptor);

  std::string name_;
  const google::protobuf::Descriptor* descriptor_;
  std::unique_ptr<google::protobuf::TextFormat::ParseInfoTree> locations_;
};

}  // namespace hivewire

#endif  // HIVEWIRE_BASE_TEXTPROTO_H_
