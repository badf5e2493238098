"""Simplified Chinese of sentences whose values are in them when they are shown: of the installer, of the engine as a process
and of job folders, and the add-on's own. Words alone. Words in braces stand where the values are."""

INSTALLER = {
    "Making the environment": "正在建立环境",
    "Putting pip in": "正在安装 pip",
    "Fetching torch and the engine": "正在下载 torch 和引擎",
    "Trying the engine": "正在试运行引擎",
    "Collecting {package}": "正在收集 {package}",
    "Downloading {package}": "正在下载 {package}",
    "Using cached {package}": "使用已缓存的 {package}",
    "Processing {package}": "正在处理 {package}",
    "Installing {package}": "正在安装 {package}",
    "Failed": "失败",
    "Cancelled": "已取消",
    "Cancelled; what was fetched is kept.": "已取消；已下载的内容会保留。",
    "The engine needs {needed} MB and {folder} has {free} MB left; free some space or choose another folder.": (
        "引擎需要 {needed} MB，而 {folder} 只剩 {free} MB；请腾出空间或另选文件夹。"
    ),
    "The engine was not installed ({why}); install again, or choose Repair.": (
        "引擎没有安装成功（{why}）；请重新安装，或选择“修复”。"
    ),
    "The engine was not installed: {why}.": "引擎没有安装成功：{why}。",
    "The folder {folder} cannot be written to ({why}); choose another in the preferences.": (
        "无法写入文件夹 {folder}（{why}）；请在偏好设置中另选一个。"
    ),
    "There is no pip beside {package}; install the extension again from its zip.": (
        "{package} 旁边没有 pip；请用扩展的 zip 文件重新安装扩展。"
    ),
    "There is no torch among the wheels in {folder}; choose the folder that has it.": (
        "{folder} 的 wheel 文件中没有 torch；请选择含有它的文件夹。"
    ),
    "{folder} could not be deleted ({why}); close other Blenders that use the engine and try again.": (
        "无法删除 {folder}（{why}）；请关闭使用引擎的其他 Blender 后再试。"
    ),
    "{folder} was not made by Understudy; delete it yourself if you want it gone.": (
        "{folder} 不是由 Understudy 建立的；若不再需要，请自行删除。"
    ),
    "{python} cannot make environments; install another Python from python.org or your system's packages, or name one in the "
    "preferences.": ("{python} 不能建立环境；请从 python.org 或系统软件包安装另一个 Python，或在偏好设置中指定。"),
    "{python} is no Python from 3.11 to 3.14; name another.": "{python} 不是 3.11 至 3.14 的 Python；请另指定一个。",
}

PROCESS = {
    "Cancelling": "正在取消",
    "Finishing": "正在收尾",
    "The engine cannot be started ({why}: {path}); check the engine's Python in the add-on's preferences.": (
        "无法启动引擎（{why}：{path}）；请检查插件偏好设置中引擎的 Python。"
    ),
    "The engine did not answer and was ended; the next job starts a new one.": (
        "引擎没有响应，已被结束；下一个任务会启动新的引擎。"
    ),
    "The engine does not start; see its log, or wait longer (Understudy's preferences).": (
        "引擎无法启动；请查看其日志，或延长等待时间（Understudy 的偏好设置）。"
    ),
    "The engine is not running; start the job again.": "引擎没有运行；请重新开始任务。",
    "The engine speaks protocol {theirs} and this extension speaks version {ours}; install the engine that came with the"
    " extension.": ("引擎使用协议{theirs}，此扩展使用版本 {ours}；请安装扩展附带的引擎。"),
    "The engine was ended.": "引擎已结束。",
    "The engine was not ready after {seconds} s; its log is {path}.": "引擎在 {seconds} 秒后仍未就绪；日志在 {path}。",
    "The engine {how}, {words}; run the job again to start a fresh one (log: {path}).": (
        "引擎{how}，{words}；请重新运行任务以启动新的引擎（日志：{path}）。"
    ),
    "The take was cancelled.": "已取消生成此版本。",
}

JOBS = {
    "Another process ({process}) is running the job in {folder}; wait until it is done, or end it.": (
        "另一个进程（{process}）正在运行 {folder} 中的任务；请等它完成，或结束它。"
    ),
    "The device '{name}' is unknown; it is one of {known}.": "没有设备“{name}”；可用的是 {known}。",
    "This machine's PyTorch has no '{name}' device; choose auto or {found}.": (
        "本机的 PyTorch 没有设备“{name}”；请选择 auto 或 {found}。"
    ),
    "The disk is full; free some space and run the job again, finished frames are kept.": (
        "磁盘已满；请腾出空间后重新运行任务，已完成的帧会保留。"
    ),
    "The file {path} could not be used ({why}); mend that and run the job again.": (
        "无法使用文件 {path}（{why}）；请解决后重新运行任务。"
    ),
    "The job met an error that it does not know ({kind}: {what}); the engine's log tells more.": (
        "任务遇到未知错误（{kind}：{what}）；详情见引擎的日志。"
    ),
    "The memory was not enough; close other programs or make the frames smaller, then run the job again.": (
        "内存不足；请关闭其他程序或缩小帧的尺寸，然后重新运行任务。"
    ),
    "The job was made for protocol {theirs} and this engine speaks {ours}; install the extension and the engine of the same"
    " version.": ("任务使用协议 {theirs}，此引擎使用 {ours}；请安装版本相同的扩展和引擎。"),
    "The job's kind '{kind}' is unknown; it is one of {known}.": "没有任务类型“{kind}”；可用的是 {known}。",
    "The trained weights do not fit their network (at '{name}'); train again.": (
        "训练好的权重与其网络不符（在“{name}”处）；请重新训练。"
    ),
    "The weights at {path} are damaged or of another version ({why}); train again.": (
        "{path} 的权重已损坏或版本不同（{why}）；请重新训练。"
    ),
    "The weights at {path} are larger than any that Understudy writes; train again.": (
        "{path} 的权重大于 Understudy 写出的任何权重；请重新训练。"
    ),
    "There are no trained weights at {path}; train first.": "{path} 没有训练好的权重；请先训练。",
    "There is no job folder {folder}.": "任务文件夹 {folder} 不存在。",
    "{path} is no folder but must be one; move that file away or rename it, then try again.": (
        "{path} 必须是文件夹，现在却不是；请移走该文件或为它改名，然后再试。"
    ),
    "job.json cannot be read ({why}); make the job again.": "无法读取 job.json（{why}）；请重新建立任务。",
    "{name} cannot be read ({why}); make the job again.": "无法读取 {name}（{why}）；请重新建立任务。",
    "{name} is larger than any that Understudy writes; make the job again.": (
        "{name} 大于 Understudy 写出的任何同类文件；请重新建立任务。"
    ),
    "{name} is missing in the job folder {folder}; capture the shot or export the clip again.": (
        "任务文件夹 {folder} 中缺少 {name}；请重新采集镜头或导出运动片段。"
    ),
}

IN_BLENDER = {
    "'{name}' goes where it is keyed, and the rest along with it.": "“{name}”按自己的关键帧前行，其余部分随它前行。",
    "'{name}' turns too far between two keys for one rotation: its angles are filled one by one.": (
        "“{name}”在两个关键帧之间转得太多，无法作为一次旋转：将逐个填补各角度。"
    ),
    "Channels that are {why} were left alone: {names}.": "{why}的通道保持不变：{names}。",
    "Constraints go on acting on top of the new keys: {names}.": "约束仍会作用在新关键帧之上：{names}。",
    "Cycles that differ need the engine; these are alike.": "各不相同的循环需要引擎；这些循环是相同的。",
    "Key them first, or select others.": "请先设置关键帧，或选择其他对象。",
    "No graphics driver is installed here: let Cycles render the frames.": "这里没有安装显卡驱动：请让 Cycles 渲染帧。",
    "Stopped after {count} frames, before the key at frame {frame}.": "续演 {count} 帧后，在第 {frame} 帧的关键帧之前停止。",
    "The action '{name}' moves {count} objects; all of them get the new keys.": (
        "动作“{name}”驱动 {count} 个物体；它们都会得到新的关键帧。"
    ),
    "The active camera is another kind of object: make a camera the active one.": (
        "活动摄像机不是摄像机物体：请把摄像机设为活动摄像机。"
    ),
    "The camera is panoramic: choose a perspective or orthographic one.": "摄像机是全景的：请选择透视或正交摄像机。",
    "The disk of the job folder {folder} is full: make room and capture again.": (
        "任务文件夹 {folder} 所在的磁盘已满：请腾出空间后重新采集。"
    ),
    "The file has more than {most} objects, too many to tell apart by id.": "文件中的物体超过 {most} 个，无法按编号区分。",
    "The frame range is empty or longer than {most} frames.": "帧范围为空或超过 {most} 帧。",
    "The guides need Cycles: enable it in the preferences, under Add-ons.": (
        "引导图需要 Cycles：请在偏好设置的“插件”中启用它。"
    ),
    "The job folder {folder} cannot be written to ({why}): choose another.": (
        "无法写入任务文件夹 {folder}（{why}）：请另选一个。"
    ),
    "The painting was carried over by plain reprojection, for no engine is installed; install it to have changing light and"
    " hidden surfaces painted.": (
        "没有安装引擎，画作是以普通投射转移的；安装引擎后，变化的光照和被遮挡的表面也会得到绘制。"
    ),
    "The picture is {width} x {height} pixels: 1 to {most} a side can be captured.": (
        "画面为 {width} x {height} 像素：每边只能采集 1 至 {most} 像素。"
    ),
    "The pixels are not square: set both aspects to the same value in the output properties.": (
        "像素不是正方形：请在输出属性中把两个宽高比设为相同的值。"
    ),
    "The plain curves were used, for no engine is installed; install it to have the motion acted.": (
        "没有安装引擎，使用了普通曲线；安装引擎后，运动会得到表演。"
    ),
    "The scene renders in stereo: switch Stereoscopy off in the output properties.": (
        "场景以立体方式渲染：请在输出属性中关闭立体视法。"
    ),
    "The scene's render engine is missing: enable its add-on, or choose another engine.": (
        "缺少场景的渲染引擎：请启用其插件，或选择其他引擎。"
    ),
    "There is no mesh to capture: add one to the view layer.": "没有可采集的网格：请在视图层中添加一个。",
    "This was made without the engine; install it for cycles that differ and for motion that a network acts.": (
        "这是不用引擎生成的；安装引擎后，循环可以各不相同，运动由神经网络表演。"
    ),
    "What a Cycles modifier repeats already plays on by itself and was left alone.": (
        "由“循环”修改器重复的部分本来就会继续播放，保持不变。"
    ),
    "{path} cannot be read; paint or capture that frame again.": "无法读取 {path}；请重新绘制或采集该帧。",
    "{path} is damaged or no capture of Blender's.": "{path} 已损坏或不是 Blender 采集的文件。",
    "{sentence}; capture frame {frame} again.": "{sentence}；请重新采集第 {frame} 帧。",
}

SENTENCES = INSTALLER | PROCESS | JOBS | IN_BLENDER

# What stands inside of the sentences above and of the engine's, where their values are.
PARTS = {
    ", then {frames}": "，然后是第 {frames} 帧",
    "{names} and {count} more": "{names}，另有 {count} 个",
    "an unknown version": "的未知版本",
    "version {version} (engine {engine})": "版本 {version}（引擎 {engine}）",
    "capture frame {frame} again": "请重新采集第 {frame} 帧",
    "save the painted frame again, as PNG in the shot's size": "请按镜头的尺寸把手绘帧重新保存为 PNG",
    "driven or muted": "由驱动器控制或已禁用",
    "locked": "已锁定",
    "shaped by F-curve modifiers": "由 F 曲线修改器塑形",
    "the shipped network": "自带的神经网络",
    "the plain curves": "普通曲线",
    "it is no JSON": "它不是 JSON",
    "named": "（未指定）",
    "unknown": "未知",
    "strength": "强度",
    "light": "光照",
    "texture": "笔触",
    "OpenEXR file": "OpenEXR 文件",
    "'{where}' should be an object.": "“{where}”应为对象",
    "'{where}' should be {kind}, not {value}.": "“{where}”应为{kind}，而不是 {value}",
    "{kind} has no field '{name}'.": "{kind} 没有字段“{name}”",
    "{kind} lacks the field '{name}'.": "{kind} 缺少字段“{name}”",
    "a whole number": "整数",
    "a finite number": "有限的数",
    "text": "文本",
    "true or false": "true 或 false",
    "a list": "列表",
    "an object": "对象",
    "was ended by signal {number}": "被信号 {number} 结束",
    "ended with exit code {number}": "以退出代码 {number} 结束",
    'its last words were "{words}"': "最后的输出是“{words}”",
    "it left no word in its log": "日志中没有任何内容",
    "the disk is full; free some space and install again": "磁盘已满；请腾出空间后重新安装",
    "the folder {folder} cannot be written to; choose another in the preferences": (
        "无法写入文件夹 {folder}；请在偏好设置中另选一个"
    ),
    "{python} cannot make environments; name another Python": "{python} 不能建立环境；请指定另一个 Python",
    "a package came damaged; install again, which fetches it anew": "有软件包在下载时损坏；请重新安装，它会重新下载",
    "the package index could not be reached; check the network connection and install again, or give a folder of wheels": (
        "无法连接软件包索引；请检查网络连接后重新安装，或指定 wheel 文件夹"
    ),
    "no build of {package} fits this Python and machine; name another Python": (
        "没有适合此 Python 和本机的 {package}；请指定另一个 Python"
    ),
    "{python} has the wrong version; name a Python from 3.11 to 3.14": (
        "{python} 的版本不对；请指定 3.11 至 3.14 的 Python"
    ),
}
