#include "policy/config/merge.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <vector>

namespace hivewire {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

// Lists that `over` gives make those of `message` void.
void ClearLists(const Message& over, Message& message) {
  std::vector<const FieldDescriptor*> fields;
  over.GetReflection()->ListFields(over, &fields);
  const Reflection& reflection = *message.GetReflection();
  for (const FieldDescriptor* field : fields) {
    if (field->is_repeated() && !field->is_map()) {
      reflection.ClearField(&message, field);
    } else if (!field->is_repeated() && field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE &&
               reflection.HasField(message, field)) {
      ClearLists(over.GetReflection()->GetMessage(over, field),
                 *reflection.MutableMessage(&message, field));
    }
  }
}

}  // namespace

void MergeConfig(const v1::LearnerConfig& over, v1::LearnerConfig& config) {
  ClearLists(over, config);
  config.MergeFrom(over);
}

}  // namespace hivewire
