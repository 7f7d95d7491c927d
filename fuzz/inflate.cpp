// Inflater on any bytes in any pieces, beside zlib on the whole of them.
//
// Input: how many bytes of output are asked for at once (a byte, times 64, plus 1); cuts; the stream.
#include "wire/inflate.h"

#include <string>
#include <zlib.h>

#include "input.h"

namespace {

using windlass::fuzz::Input;
using windlass::fuzz::require;
using windlass::wire::Inflater;
using Status = Inflater::Status;

constexpr std::size_t limit = 256 * 1024;

struct Reading {
  Status status = Status::need_input;
  std::string bytes;
};

Reading inflate(Inflater& inflater, std::string_view stream, const std::vector<std::uint8_t>& cuts, std::size_t most) {
  Reading reading;
  windlass::base::ByteQueue out;
  windlass::fuzz::in_pieces(stream, cuts, [&](std::string_view piece) {
    if (reading.status == Status::end) reading.status = Status::surplus;
    if (reading.status != Status::need_input) return false;
    do {
      const std::size_t left = piece.size();
      const std::size_t given = out.size();
      reading.status = inflater.inflate(piece, out, most);
      require(out.size() - given <= most, "more came out than was asked for");
      require(reading.status != Status::full || piece.size() < left || out.size() > given, "a call without effect");
    } while (reading.status == Status::full);
    require(reading.status != Status::need_input || piece.empty(), "input is asked for while some is left");
    return true;
  });
  require(out.size() <= limit && out.size() == inflater.inflated(), "the limit was passed");
  reading.bytes = out.view();
  return reading;
}

Reading inflate_by_zlib(std::string_view stream) {
  Reading reading;
  z_stream z{};
  inflateInit(&z);
  z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(stream.data()));
  z.avail_in = static_cast<uInt>(stream.size());
  reading.bytes.resize(limit + 1);
  z.next_out = reinterpret_cast<Bytef*>(reading.bytes.data());
  z.avail_out = static_cast<uInt>(reading.bytes.size());
  const int result = inflate(&z, Z_FINISH);
  reading.bytes.resize(reading.bytes.size() - z.avail_out);
  if (reading.bytes.size() > limit) {
    reading.status = Status::too_large;
  } else if (result == Z_STREAM_END) {
    reading.status = z.avail_in > 0 ? Status::surplus : Status::end;
  } else if (result == Z_DATA_ERROR || result == Z_NEED_DICT) {
    reading.status = Status::corrupt;
  }
  inflateEnd(&z);
  return reading;
}

bool complete(Status status) {
  return status == Status::end || status == Status::surplus;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Input input(data, size);
  const std::size_t most = std::size_t{input.byte()} * 64 + 1;
  const auto cuts = input.cuts();

  Inflater inflater(limit);
  const Reading pieces = inflate(inflater, input.rest(), cuts, most);
  // A state that has seen whatever it was must serve the next stream as a new one does.
  inflater.reset();
  const Reading whole = inflate(inflater, input.rest(), {}, limit);
  require(complete(whole.status) == complete(pieces.status), "cuts decide whether a stream is sound");
  if (complete(whole.status))
    require(whole.status == pieces.status && whole.bytes == pieces.bytes, "cuts change what a stream says");

  // ISA-L tolerates a few streams that zlib refuses (distances beyond the announced window, incomplete codes), so only
  // what zlib takes is compared.
  const Reading expected = inflate_by_zlib(input.rest());
  if (complete(expected.status)) {
    require(whole.status == expected.status, "zlib reads this stream to its end");
    require(whole.bytes == expected.bytes, "zlib reads something else");
  } else if (expected.status == Status::too_large) {
    require(whole.status == Status::too_large || whole.status == Status::corrupt, "the limit was not seen");
  }
  return 0;
}
