#include "net/tunnel.h"

#include <array>
#include <string>
#include <utility>

#include <windlass/error.h>

namespace windlass::net {

Tunnel::Tunnel(std::unique_ptr<Transport> transport, protocol::ProxyClient conversation, Callback callback)
    : Opening(std::move(transport), "the proxy gave no answer", std::move(callback)),
      conversation_(std::move(conversation)) {}

void Tunnel::step() {
  using Status = IoResult::Status;
  // The conversation has a limit to what it hears, and so has this loop.
  for (;;) {
    std::string& output = conversation_.output();
    while (!output.empty()) {
      const IoResult sent = transport().write(output);
      if (sent.status == Status::failed) return finish(sent.error, sent.error.message());
      if (sent.status != Status::done) return wait_for(Status::want_write);
      output.erase(0, sent.count);
    }
    // Looked at first and taken only as far as it is the proxy's: what follows belongs to whoever uses the tunnel.
    std::array<char, 4096> bytes;
    const IoResult got = peek_some(transport().socket().native_handle(), bytes.data(), bytes.size());
    if (got.status == Status::ended) return finish(errc::connection_lost, "the proxy closed the connection");
    if (got.status == Status::failed) return finish(got.error, got.error.message());
    if (got.status != Status::done) return wait_for(Status::want_read);
    const std::size_t taken = conversation_.receive({bytes.data(), got.count});
    const IoResult consumed = transport().read(bytes.data(), taken);
    if (consumed.status == Status::failed) return finish(consumed.error, consumed.error.message());
    if (conversation_.error()) return finish(conversation_.error(), conversation_.error_detail());
    if (conversation_.done()) return finish({}, {});
  }
}

}  // namespace windlass::net
