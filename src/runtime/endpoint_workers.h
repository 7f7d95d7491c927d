// From the options that all protocols share to workers.
#pragma once

#include <cstdint>
#include <vector>

#include <windlass/endpoints.h>
#include <windlass/workers.h>

#include "net/address.h"
#include "runtime/loop.h"
#include "runtime/protocol_client.h"

namespace windlass::runtime {

/// The conversations of one connection to that host, one after another; what they are to remember of each other is in
/// the factory.
using ConversationsOfHost = std::function<ConversationFactory(const net::HostPort&)>;

/// A worker for each connection. Throws as lumberjack_workers() says.
std::vector<Worker> endpoint_workers(Loop& loop, const EndpointOptions& options, std::uint16_t default_port,
                                     const ConversationsOfHost& conversations);

/// Throws std::invalid_argument unless it is one, 0 to 9.
void check_compression_level(int level);

}  // namespace windlass::runtime
