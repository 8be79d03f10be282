import CCurl
import Glibc

/// Reads a part of a file for libcurl. Used by the thread of one transfer.
final class FileSource {
    let range: Range<Int64>
    private let descriptor: Int32
    private var position: Int64

    /// Nil: the file cannot be opened.
    init?(_ slice: HTTPRequest.FileSlice) {
        range = slice.range
        position = slice.range.lowerBound
        // The string lives for the length of the call.
        descriptor = unsafe open(slice.path, O_RDONLY | O_CLOEXEC)
        if descriptor < 0 { return nil }
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    static func from(_ context: UnsafeMutableRawPointer?) -> FileSource {
        // Sound: the context is always the pointer that the transfer made of its source.
        unsafe Unmanaged<FileSource>.fromOpaque(context!).takeUnretainedValue()
    }

    /// Returns how many bytes were put there; 0 at the end.
    func read(_ bytes: UnsafeMutablePointer<CChar>, _ room: Int) -> Int {
        let wanted = Int(min(Int64(room), range.upperBound - position))
        guard wanted > 0 else { return 0 }
        while true {
            // Sound: libcurl says there is room for `room` bytes, and `wanted` is no more.
            let count = unsafe pread(descriptor, bytes, wanted, off_t(position))
            if count > 0 {
                position += Int64(count)
                return count
            }
            if count < 0, errno == EINTR { continue }
            // A file that cannot be read, or is shorter than it was: the transfer must not look whole.
            return Int(CURL_READFUNC_ABORT)
        }
    }

    /// libcurl begins anew on another connection.
    func seek(_ offset: curl_off_t, _ origin: Int32) -> Int32 {
        guard origin == SEEK_SET, offset >= 0, Int64(offset) <= range.count else { return CURL_SEEKFUNC_CANTSEEK }
        position = range.lowerBound + Int64(offset)
        return CURL_SEEKFUNC_OK
    }
}
