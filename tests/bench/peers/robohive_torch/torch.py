"""What RoboHive needs of torch for images that no network encodes: a module that gives back what it
was given, which it never calls. Importing torch itself would add gigabytes and change no figure."""

import contextlib
import types

cuda = types.SimpleNamespace(is_available=lambda: False)
no_grad = contextlib.nullcontext


class _Module:
    def eval(self):
        return self

    def to(self, _device):
        return self


nn = types.SimpleNamespace(Module=_Module)
