#include "client/session_ticket.h"

#include <google/protobuf/text_format.h>
#include <sys/stat.h>

#include "absl/strings/str_cat.h"
#include "base/output_file.h"
#include "base/textproto.h"

namespace hivewire {

absl::Status SaveTicket(const v1::SessionTicket& ticket, const std::string& path) {
  std::string text;
  google::protobuf::TextFormat::PrintToString(ticket, &text);
  absl::StatusOr<OutputFile> file = OutputFile::Create(path, 0600);
  if (!file.ok()) return file.status();
  absl::Status status = file->Write(text);
  if (status.ok()) status = file->Commit();
  return status;
}

absl::StatusOr<v1::SessionTicket> LoadTicket(const std::string& path) {
  v1::SessionTicket ticket;
  const auto file = TextprotoFile::Read(path, ticket);
  if (!file.ok()) return file.status();
  struct stat info;
  if (stat(path.c_str(), &info) == 0 && (info.st_mode & 077) != 0) {
    return absl::PermissionDeniedError(
        absl::StrCat(path, ": holds lease tokens and can be read by others; chmod 600 ", path));
  }
  if (ticket.pools().empty()) {
    return absl::InvalidArgumentError(absl::StrCat(path, ": names no pool"));
  }
  for (int k = 0; k < ticket.pools_size(); ++k) {
    const v1::PoolTicket& pool = ticket.pools(k);
    if (!pool.address().empty() && !pool.pool_id().empty() && !pool.lease_token().empty()) continue;
    return absl::InvalidArgumentError(
        absl::StrCat(file->Locate(absl::StrCat("pools[", k, "]")),
                     ": a pool needs address, pool_id and lease_token"));
  }
  return ticket;
}

}  // namespace hivewire
