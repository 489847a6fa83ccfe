// The learner with a distribution and a network of our own: one line each.
#include "laplace.h"
#include "policy/learner_main.h"
#include "policy/nn/register.h"
#include "residual.h"

int main(int argc, char** argv) {
  hivewire::RegisterDistribution("laplace", extension::MakeLaplace);
  hivewire::RegisterModel("residual", extension::MakeResidual);
  return hivewire::LearnerMain(argc, argv);
}
