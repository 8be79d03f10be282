import Glibc

/// The clock of this machine, for the dates of certificates.
package let systemSecondsSince1970: @Sendable () -> Int = {
    var time = timespec()
    // `time` is ours and outlives the call.
    unsafe _ = clock_gettime(CLOCK_REALTIME, &time)
    return time.tv_sec
}

/// Reads the time since now, on an injected clock.
func stopwatch(_ clock: any Clock<Duration>) -> @Sendable () -> Duration {
    func open<Source: Clock<Duration>>(_ clock: Source) -> @Sendable () -> Duration {
        let start = clock.now
        return { start.duration(to: clock.now) }
    }
    return open(clock)
}
