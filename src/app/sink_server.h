// Which protocol a sink speaks.
#pragma once

#include <memory>

#include "app/config.h"
#include "app/sink.h"
#include "protocol/server_conversation.h"

namespace windlass::app {

/// The server side of one connection that was made to that place.
std::unique_ptr<protocol::ServerConversation> server_of(const ListenConfig& listen, const SinkOptions& sink);

}  // namespace windlass::app
