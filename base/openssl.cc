#include "base/openssl.h"

#include <openssl/crypto.h>

namespace hivewire {

void KeepOpenSslAtExit() { OPENSSL_init_crypto(OPENSSL_INIT_NO_ATEXIT, nullptr); }

}  // namespace hivewire
