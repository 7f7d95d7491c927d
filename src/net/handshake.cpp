#include "net/handshake.h"

#include <utility>

#include <windlass/error.h>

namespace windlass::net {

Handshake::Handshake(std::unique_ptr<Transport> transport, Callback callback)
    : Opening(std::move(transport), "not finished", std::move(callback)) {}

void Handshake::step() {
  const IoResult result = transport().tls()->handshake();
  switch (result.status) {
    case IoResult::Status::done:
      return finish({}, {});
    case IoResult::Status::ended:
      return finish(errc::connection_lost, "the peer closed the connection");
    case IoResult::Status::failed:
      return finish(result.error, transport().tls()->explain(result.error));
    case IoResult::Status::want_read:
    case IoResult::Status::want_write:
      return wait_for(result.status);
  }
}

}  // namespace windlass::net
