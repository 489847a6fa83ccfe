// The learner as a program, for a main that adds parts of its own (policy/nn/register.h) first.
#ifndef HIVEWIRE_POLICY_LEARNER_MAIN_H_
#define HIVEWIRE_POLICY_LEARNER_MAIN_H_

namespace hivewire {

// Returns the exit status.
int LearnerMain(int argc, char** argv);

}  // namespace hivewire

#endif  // HIVEWIRE_POLICY_LEARNER_MAIN_H_
