// The one thing that we ask of OpenSSL, which gRPC brings along, ourselves.
#ifndef HIVEWIRE_BASE_OPENSSL_H_
#define HIVEWIRE_BASE_OPENSSL_H_

namespace hivewire {

// To be called before gRPC is given its first TLS credentials. Otherwise OpenSSL frees all it holds
// when the process exits, while gRPC's threads, which may outlive main(), still use it.
void KeepOpenSslAtExit();

}  // namespace hivewire

#endif  // HIVEWIRE_BASE_OPENSSL_H_
