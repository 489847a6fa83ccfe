// Trains policies on envs that env servers host, and evaluates them.
#include "policy/learner_main.h"

int main(int argc, char** argv) { return hivewire::LearnerMain(argc, argv); }
