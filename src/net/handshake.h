// One TLS handshake, with its time limit.
#pragma once

#include <memory>

#include "net/opening.h"

namespace windlass::net {

/// Gives the transport back secured.
class Handshake final : public Opening {
 public:
  /// The transport must have been made secure().
  Handshake(std::unique_ptr<Transport> transport, Callback callback);

 private:
  void step() override;
};

}  // namespace windlass::net
