// Text in columns, each as wide as its widest cell; the last cell of a row is wrapped.
#ifndef HIVEWIRE_CLIENT_COMMANDS_TABLE_H_
#define HIVEWIRE_CLIENT_COMMANDS_TABLE_H_

#include <iosfwd>
#include <string>
#include <vector>

namespace hivewire {

class Table {
 public:
  Table() = default;
  explicit Table(std::vector<std::string> header) { AddRow(std::move(header)); }

  // Rows may differ in length.
  void AddRow(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
  void Print(std::ostream& out) const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace hivewire

#endif  // HIVEWIRE_CLIENT_COMMANDS_TABLE_H_
