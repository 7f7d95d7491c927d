#include "app/recorder.h"

namespace windlass::app {

Recorder::Recorder(const std::string& path) : file_({.path = path}) {
  if (const std::error_code error = file_.open()) throw std::system_error(error, path);
}

}  // namespace windlass::app
