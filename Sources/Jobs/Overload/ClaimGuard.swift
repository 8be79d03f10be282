import ClipModel

/// Whether a node has the memory and the disk for one more stage.
package struct ClaimGuard: Sendable, Hashable {
    /// | field | unit | default | the accident it prevents |
    /// |---|---|---|---|
    /// | `memoryFreeBytesMin` | bytes | 512 MiB | the kernel kills PostgreSQL or a neighbour |
    /// | `stageMemoryBytes` | bytes | 512 MiB | several stages begin at once and none has taken its memory yet |
    /// | `memoryPressurePercentMax` | percent | 25 | a machine that swaps gets more to swap |
    /// | `diskFreeBytesMin` | bytes | 768 MiB | a stage works for minutes and cannot write what it made |
    package struct Limits: Sendable, Hashable {
        package var memoryFreeBytesMin: Int64
        package var stageMemoryBytes: Int64
        package var memoryPressurePercentMax: Double
        package var diskFreeBytesMin: Int64

        package init(
            memoryFreeBytesMin: Int64 = 512 << 20, stageMemoryBytes: Int64 = 512 << 20,
            memoryPressurePercentMax: Double = 25, diskFreeBytesMin: Int64 = 768 << 20
        ) {
            self.memoryFreeBytesMin = memoryFreeBytesMin
            self.stageMemoryBytes = stageMemoryBytes
            self.memoryPressurePercentMax = memoryPressurePercentMax
            self.diskFreeBytesMin = diskFreeBytesMin
        }
    }

    package struct Objection: Sendable, Hashable {
        package enum Code: String, Sendable {
            case memoryShort = "memory_short"
            case memoryPressure = "memory_pressure"
            case diskShort = "disk_short"
        }

        package let code: Code
        package let reason: String
    }

    package let limits: Limits

    package init(_ limits: Limits = Limits()) { self.limits = limits }

    /// Why the node should claim nothing now, or nil. What cannot be read does not object: a machine without pressure
    /// figures works as it always did.
    /// - Parameters:
    ///   - young: stages that began a moment ago and have not taken their memory yet.
    ///   - isIdle: nothing runs here. Then the next stage need not fit beside others, so that a machine smaller than
    ///     `stageMemoryBytes` works at all.
    package func objection(to reading: MachineReading, young: Int, isIdle: Bool) -> Objection? {
        if let free = reading.diskFreeBytes, free < limits.diskFreeBytesMin {
            return Objection(
                code: .diskShort,
                reason: "\(mebibytes(free)) of disk are free, \(mebibytes(limits.diskFreeBytesMin)) must be.")
        }
        if let free = reading.memoryAvailableBytes {
            let stages = Int64(isIdle ? 0 : young + 1)
            let least = limits.memoryFreeBytesMin + stages * limits.stageMemoryBytes
            if free < least {
                return Objection(
                    code: .memoryShort,
                    reason: "\(mebibytes(free)) of memory are available, one more stage needs \(mebibytes(least)).")
            }
        }
        if let pressure = reading.memoryPressurePercent, pressure >= limits.memoryPressurePercentMax {
            return Objection(
                code: .memoryPressure,
                reason: "Something waited for memory in \(Int(pressure)) % of the last ten seconds, at most "
                    + "\(Int(limits.memoryPressurePercentMax)) % are borne.")
        }
        return nil
    }

    /// For how many stages that begin together there is room, at most `wish`.
    package func room(in reading: MachineReading, forUpTo wish: Int, young: Int, isIdle: Bool) -> Int {
        (0..<wish).prefix { others in
            objection(to: reading, young: young + others, isIdle: isIdle && others == 0) == nil
        }.count
    }
}

/// For people: `512 MiB`.
func mebibytes(_ bytes: Int64) -> String { "\(bytes >> 20) MiB" }
