#!/usr/bin/env bash
# ResNets beside PyTorch's, where this machine's Python has it.
set -euo pipefail

if ! python3 -c 'import torch' 2>/dev/null; then
  echo "NOT TESTED: there is no PyTorch in $(python3 --version)"
  exit 0
fi
python3 policy/nn/resnet_parity.py policy/nn/resnet_features deploy/convert_encoder.py "${TEST_TMPDIR}"
