// One way through a proxy, with its time limit.
#pragma once

#include <memory>

#include "net/opening.h"
#include "protocol/proxy_client.h"

namespace windlass::net {

/// Gives the transport back connected to the target.
class Tunnel final : public Opening {
 public:
  /// The transport is connected to the proxy, and nothing was said on it.
  Tunnel(std::unique_ptr<Transport> transport, protocol::ProxyClient conversation, Callback callback);

 private:
  void step() override;

  protocol::ProxyClient conversation_;
};

}  // namespace windlass::net
