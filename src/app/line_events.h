// Events made of lines, as the command line wants them.
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "app/event_encoder.h"
#include "app/json_line.h"
#include "input/seams.h"

namespace windlass::app {

/// With `json`, a line is an event as it is, and one that is not one whole JSON object is refused; else an EventEncoder
/// makes an event of it.
class LineEvents final : public input::LineEncoder {
 public:
  LineEvents(bool json, std::string host) : json_(json), host_(std::move(host)) {}

  void begin(const std::string& path, std::uint64_t identity) override {
    if (!json_) encoder_.emplace(host_, path, identity);
  }
  /// The time of the events that follow is now.
  void set_time() {
    if (encoder_) encoder_->set_time(std::chrono::system_clock::now());
  }
  bool encode(const input::LineCutter::Line& line, EventBuffer& to) override {
    if (encoder_) {
      encoder_->encode(line.text, line.offset, to);
      return true;
    }
    if (line.cut || !checker_.is_object(line.text)) return false;
    to.append(line.text);
    return true;
  }

 private:
  const bool json_;
  const std::string host_;
  std::optional<EventEncoder> encoder_;
  JsonLineChecker checker_;
};

}  // namespace windlass::app
