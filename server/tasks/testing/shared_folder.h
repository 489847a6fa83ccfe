// Files that tests use where a machine has them, and that are not in the repository: model files
// and recordings of other projects, in ../shared beside the checkout.
#ifndef HIVEWIRE_SERVER_TASKS_TESTING_SHARED_FOLDER_H_
#define HIVEWIRE_SERVER_TASKS_TESTING_SHARED_FOLDER_H_

#include <string>

namespace hivewire {

// The folder that `variable` of the environment names, or else `name` in ../shared; empty where
// there is none.
std::string SharedFolder(const char* variable, const std::string& name);

// Lets the server's code find SimHive from inside a test, whose working folder is not the
// checkout. False where there is none: then a test skips, saying so.
bool UseSharedSimHive();

}  // namespace hivewire

#endif  // HIVEWIRE_SERVER_TASKS_TESTING_SHARED_FOLDER_H_
