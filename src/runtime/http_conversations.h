// Conversations by HTTP with one host, as the public options ask for them.
#pragma once

#include <windlass/elasticsearch.h>
#include <windlass/http.h>

#include "net/address.h"
#include "protocol/http_greeting.h"
#include "runtime/protocol_client.h"

namespace windlass::runtime {

/// The port where none is given.
std::uint16_t default_port(const HttpOptions& options);
std::uint16_t default_port(const ElasticsearchOptions& options);

/// Those of one host remember together what it takes. Throw std::invalid_argument for options that cannot stand in a
/// request.
ConversationFactory conversations(const HttpOptions& options, const net::HostPort& host);
ConversationFactory conversations(const ElasticsearchOptions& options, const net::HostPort& host);

/// What asks the host for its greeting, with the credentials that its requests have. Throws likewise.
std::unique_ptr<protocol::HttpGreeting> greeting(const ElasticsearchOptions& options, const net::HostPort& host);

}  // namespace windlass::runtime
