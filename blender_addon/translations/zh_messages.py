"""Simplified Chinese of what is said: reports, errors, and why a button is grey. Words alone. Names in braces are filled
in after the look-up."""

MESSAGES = {
    "'{action}' was left out: {error}": "已略过“{action}”：{error}",
    "'{image}' changes with every render: save it as an image and open that.": "“{image}”每次渲染都会变化：请存为图像再打开。",
    "'{image}' has no pixels: its file is missing; find it, or paint again.": (
        "“{image}”没有像素：文件丢失；请找回文件或重新绘制。"
    ),
    "'{image}' is {kind}: a key is one still image.": "“{image}”是{kind}：手绘帧必须是单张静态图像。",
    "a movie": "影片",
    "a sequence": "图像序列",
    "tiled": "分块图像",
    "'{image}' is {width} x {height} and the shot {shot_width} x {shot_height} pixels: the proportions differ; crop the"
    " image to the shot's.": (
        "“{image}”为 {width} x {height} 像素，镜头为 {shot_width} x {shot_height} 像素：比例不同，请按镜头的比例裁剪图像"
        "。"
    ),
    ", scaled to {width} x {height}": "，已缩放到 {width} x {height}",
    ", the one before it is {path}": "，原来的画作在 {path}",
    "'{name}' cannot be the name of a folder; leave out the characters {characters}": (
        "“{name}”不能作为文件夹名，请去掉这些字符：{characters}"
    ),
    "'{name}' has {count} keys; the action '{old}' is kept as it was.": "“{name}”有 {count} 个关键帧；动作“{old}”保持不变。",
    "'{ob}' has an NLA strip open; leave its tweak mode first.": "“{ob}”打开了一个 NLA 片段；请先退出调整模式。",
    "'{ob}' has no action yet; key at least two poses of it first.": "“{ob}”还没有动作；请先为它设置至少两个姿态的关键帧。",
    "'{ob}' has no keys yet: key at least two poses": "“{ob}”还没有关键帧：请至少为两个姿态设置关键帧",
    "'{strip}' begins before frame 0; move it to the right.": "“{strip}”从第 0 帧之前开始；请把它向右移动。",
    "'{strip}' has no picture that can be read; look at its file in the Sequencer.": (
        "“{strip}”没有可读取的画面；请在序列编辑器中检查它的文件。"
    ),
    "'{strip}' is longer than {most} frames; cut it.": "“{strip}”超过 {most} 帧；请剪短。",
    "'{strip}' is stereo: use a strip of one eye": "“{strip}”是立体画面：请使用单眼的片段",
    "A file of '{strip}' is missing: find it with File > External Data": "“{strip}”缺少文件：请用“文件 > 外部数据”查找",
    "A foot to lock is no joint of the clip; choose the feet again.": "要锁定的脚不在运动片段的关节中；请重新选择脚部。",
    "A job is running in this shot: wait for it, or cancel it": "此镜头中有任务正在运行：请等待或取消",
    "A job is running: wait for it, or cancel it": "有任务正在运行：请等待或取消",
    "A job of this kind is still running; wait for it, or cancel it first.": "同类任务仍在运行；请等待，或先取消它。",
    "A target pose must lie at least 2 frames ahead; choose more frames.": "目标姿态至少要在 2 帧之后；请增加帧数。",
    "Acting {amount} {what}   |   {take}": "表演 {amount} {what}   |   {take}",
    "plain": "普通插值",
    "acted": "完整表演",
    "beyond": "夸张",
    "take {number}": "版本 {number}",
    "the next take is on its way": "正在生成下一个版本",
    "Mouse or digits: amount   Shift: finer   Ctrl: steps   V, Wheel: other takes   G: ghosts": (
        "鼠标或数字：幅度   Shift：微调   Ctrl：步进   V、滚轮：其他版本   G：残影"
    ),
    "Enter, LMB: accept   Esc, RMB: discard": "回车、左键：确认   Esc、右键：放弃",
    "All of this is repeated by Cycles modifiers, so it plays on by itself; remove them first.": (
        "这些曲线都由“循环”修改器重复，本来就会继续播放；请先移除修改器。"
    ),
    "Blender gave up on frame {frame}: render it by hand to see why.": "Blender 未能渲染第 {frame} 帧：请手动渲染以查明原因。",
    "Blender may not go online; allow online access in Preferences > System, or give a folder of wheels.": (
        "Blender 未获准联网；请在“偏好设置 > 系统”中允许联机访问，或指定 wheel 文件夹。"
    ),
    "Cancelled; the strip is not read to its end.": "已取消；片段没有读完。",
    "Cancelled; what was finished is kept.": "已取消；完成的部分已保留。",
    "Capture cancelled.": "采集已取消。",
    "Captured frames {start} to {end} in {folder}.": "已采集第 {start} 至 {end} 帧，存放在 {folder}。",
    "Choose a collection, and capture the shot that its objects are in.": "请选择一个集合，并采集其物体所在的镜头。",
    "Choose the collection whose objects are to be painted, or paint all objects.": (
        "请选择要绘制其物体的集合，或绘制全部物体。"
    ),
    "Choose the folder of the mask: pictures named by their frame, as 0001.png.": (
        "请选择遮罩文件夹：以帧号命名的图片，如 0001.png。"
    ),
    "Choose the saved style to delete first.": "请先选择要删除的已保存风格。",
    "Combined {count} frames, see the strip '{strip}' in channel {channel}.": (
        "已合并 {count} 帧，见通道 {channel} 中的片段“{strip}”。"
    ),
    "Delete the style '{name}' for good?": "永久删除风格“{name}”？",
    "Deleted {} generated keys.": "已删除 {} 个生成的关键帧。",
    "Discarded; everything is as it was.": "已放弃；一切恢复原状。",
    "Frame {frame} could not be read: {why}": "无法读取第 {frame} 帧：{why}",
    "Frame {frame} could not be rendered: {why}": "无法渲染第 {frame} 帧：{why}",
    "The edges could not be rendered: {why}": "无法渲染边缘：{why}",
    "The geometry could not be rendered: {why}": "无法渲染几何信息：{why}",
    "Frame {frame} could not be written to {folder}; make room or choose another folder.": (
        "无法把第 {frame} 帧写入 {folder}；请腾出空间或另选文件夹。"
    ),
    "Frame {frame} has a key already; replace it (overwrite) or take another frame.": (
        "第 {frame} 帧已有手绘帧；请替换它（覆盖）或换一帧。"
    ),
    "Frame {frame} is a key now{notes}.": "第 {frame} 帧现在是手绘帧{notes}。",
    "Frame {frame} is no key any more; its painting is {moved}.": "第 {frame} 帧不再是手绘帧；画作已移到 {moved}。",
    "The history could not be written ({why}).": "无法写入历史记录（{why}）。",
    "There is no run {number} in the history.": "历史记录中没有第 {number} 次运行。",
    "The style could not be brought back ({why}).": "无法取回该风格（{why}）。",
    "The look and the style of that run are back.": "那次运行的外观和风格已取回。",
    "The look of that run is back.": "那次运行的外观已取回。",
    "The painting of frame {frame} was saved.": "第 {frame} 帧的画作已保存。",
    "The painting {path} could not be saved ({why}); make room and save it in the Image Editor.": (
        "画作 {path} 无法保存（{why}）；请腾出空间，并在图像编辑器中保存。"
    ),
    "In-Between now uses the style in {folder}.": "“中间帧”现在使用 {folder} 中的风格。",
    "Leave Edit Mode first": "请先退出编辑模式",
    "Made {count} keys; Delete Generated Keys takes them away again.": (
        "已生成 {count} 个关键帧；可用“删除生成的关键帧”去掉它们。"
    ),
    "Name the objects of a captured shot that the second sequence is to show.": "请指定已采集镜头中要由第二个序列显示的物体。",
    "No 3D View is open: open one, or let the frames show the render.": "没有打开的 3D 视图：请打开一个，或让帧显示渲染画面。",
    "No Python from 3.11 to 3.14 was found; install one from python.org or your system's packages, or name one in the "
    "preferences.": ("没有找到 3.11 至 3.14 的 Python；请从 python.org 或系统软件包安装一个，或在偏好设置中指定。"),
    "No action named '{pattern}' moves this rig; name others, or import some.": (
        "没有名为“{pattern}”的动作驱动此绑定；请换个名称，或导入动作。"
    ),
    "No bone is selected; select those that should move, or press A for all.": (
        "没有选中骨骼；请选择要运动的骨骼，或按 A 全选。"
    ),
    "No engine is installed": "没有安装引擎",
    "No frame is painted yet: go to a frame and press Paint This Frame": "还没有手绘帧：请跳到某一帧并按“绘制此帧”",
    "A saved style needs the engine: press Install Engine in the Understudy panel.": (
        "已保存的风格需要引擎：请在 Understudy 面板中按“安装引擎”。"
    ),
    "{count} frames that were not made by plain reprojection were kept.": "保留了 {count} 个不是由普通投射生成的帧。",
    "No frame is painted yet; paint at least one frame and save it in the keys folder.": (
        "还没有手绘帧；请至少绘制一帧并保存到 keys 文件夹。"
    ),
    "No frame is stylised yet: press Stylise first": "还没有风格化的帧：请先按“风格化”",
    "No job has shown a picture yet": "还没有任务显示过画面",
    "No job is running": "没有正在运行的任务",
    "No job is running that could end early": "没有可以提前结束的任务",
    "No key can go within this bound; allow more degrees or bone lengths.": (
        "在此误差内没有可以去掉的关键帧；请放宽角度或骨骼长度。"
    ),
    "No key was made: the artist's keys leave no room any more; undo, or select others.": (
        "没有生成关键帧：已有的关键帧之间没有空位；请撤销，或选择其他关键帧。"
    ),
    "No key was needed: your keys' own curves are within the bound of what was made.": (
        "不需要关键帧：你原有的曲线与生成结果的偏差在误差之内。"
    ),
    "No object of the collection '{collection}' was captured; choose another.": (
        "集合“{collection}”中没有已采集的物体；请另选一个。"
    ),
    "No object {where} was captured: choose others, or capture the shot again.": (
        "没有采集到{where}物体：请另选物体，或重新采集镜头。"
    ),
    "that is selected": "选中的",
    "in the collection '{collection}'": "集合“{collection}”中的",
    "No style is saved yet": "还没有保存过风格",
    "No style is trained yet: paint a frame and press Train Style": "还没有训练过风格：请绘制一帧并按“训练风格”",
    "No style was trained before this one": "在此之前没有训练过其他风格",
    "None of these actions has motion that could be learned; choose others.": "这些动作都没有可供学习的运动；请另选动作。",
    "Nothing is being installed": "没有正在进行的安装",
    "Nothing is captured yet: capture the shot first": "还没有采集：请先采集镜头",
    "Nothing selected of '{ob}' has keys that may be added to. {why}": "“{ob}”的选中部分没有可以添加关键帧的曲线。{why}",
    "Nothing was kept, and the style in use stays; the notes say why.": "没有采用新结果，仍使用原来的风格；原因见提示。",
    "Nothing was made yet: press In-Between first": "还没有生成结果：请先按“中间帧”",
    "Paint over it, here or elsewhere, then press Train Style ({key}).": (
        "请在这里或其他软件中在其上绘制，然后按“训练风格”（{key}）。"
    ),
    "Replace the key of frame {frame}?": "替换第 {frame} 帧的手绘帧？",
    "Save the Blender file first: the shot's job folder lies beside it.": (
        "请先保存 Blender 文件：镜头的任务文件夹就在它旁边。"
    ),
    "Saved as {folder}.": "已保存为 {folder}。",
    "Select a movie or image strip in the Video Sequencer": "请在视频序列编辑器中选择一个影片或图像片段",
    "Select an armature, or another object with keys": "请选择骨架，或其他带关键帧的物体",
    "Select the armature whose motion is to be learned": "请选择要学习其运动的骨架",
    "Select two movie or image strips in the Video Sequencer": "请在视频序列编辑器中选择两个影片或图像片段",
    "Stylised {count} frames, see the Video Sequencer and the camera view.": (
        "已风格化 {count} 帧，见视频序列编辑器和摄像机视图。"
    ),
    "The Image Editor shows no image: open the painting": "图像编辑器中没有图像：请打开画作",
    "The action '{name}' is linked from another file; make it local to give it keys.": (
        "动作“{name}”链接自其他文件；请先设为本地，才能添加关键帧。"
    ),
    "The active object has no material; give it one that is to show the frames.": (
        "活动物体没有材质；请给它一个用来显示这些帧的材质。"
    ),
    "The camera sees no mesh in this frame range: point it at one, or show one in renders.": (
        "摄像机在此帧范围内看不到网格：请对准一个，或让它在渲染中可见。"
    ),
    "The clip holds no joint and no channel; select bones that have keys.": (
        "运动片段没有关节也没有通道；请选择带关键帧的骨骼。"
    ),
    "The clip in {folder} cannot be read; run the job again.": "无法读取 {folder} 中的运动片段；请重新运行任务。",
    "The clip's frame rate or up axis makes no sense; export it again.": "运动片段的帧率或向上轴不合理；请重新导出。",
    "The clip's joints are not in order, parents first; export it again.": "运动片段的关节没有按父级在前排列；请重新导出。",
    "The clip's list of parents does not fit its list of joints; export it again.": (
        "运动片段的父级列表与关节列表不符；请重新导出。"
    ),
    "The earlier style is back; press Stylise to paint with it.": "已恢复先前的风格；按“风格化”即可用它绘制。",
    "The engine is being installed: wait for it, or cancel": "引擎正在安装：请等待或取消",
    "The engine is installed: {text}.": "引擎已安装：{text}。",
    "The engine is not installed; press Install Engine, or name its Python in the preferences.": (
        "引擎尚未安装；请按“安装引擎”，或在偏好设置中指定它的 Python。"
    ),
    "The engine is running": "引擎正在运行",
    "The engine left no finished frame; see its log and stylise again.": "引擎没有输出完成的帧；请查看日志并重新风格化。",
    "The engine left no frame; see its log and combine again.": "引擎没有输出帧；请查看日志并重新合并。",
    "The engine left no suggestion; see its log and try again.": "引擎没有给出建议；请查看日志后重试。",
    "The engine was removed.": "引擎已移除。",
    "The engine's Python {path}, named in {where}, is not there; correct the path.": (
        "{where}中指定的引擎 Python {path} 不存在；请更正路径。"
    ),
    "The engine's installation was not finished; press Install Engine to go on with it.": (
        "引擎的安装没有完成；请按“安装引擎”继续。"
    ),
    "The footage is in {folder}; go to a frame and press Paint This Frame.": (
        "素材已存放在 {folder}；请跳到某一帧并按“绘制此帧”。"
    ),
    "The frames cannot be written ({why}); make room, or choose a folder.": "无法写入帧 ({why})；请腾出空间或另选文件夹。",
    "The job cannot be written ({why}); make room or choose another job folder.": (
        "无法写入任务 ({why})；请腾出空间或另选任务文件夹。"
    ),
    "The job ends as soon as it has something to keep": "一有可保留的结果，任务就会结束",
    "The job folder holds footage: empty it, or choose another, to capture the scene": (
        "任务文件夹中是素材：要采集场景，请清空它或另选文件夹"
    ),
    "The job folder {folder} cannot be written to ({why}); choose another.": (
        "无法写入任务文件夹 {folder} ({why})；请另选一个。"
    ),
    "The keys have changed since; press In-Between again.": "关键帧在此之后有改动；请重新按“中间帧”。",
    "The object is gone; select an armature or object that has keys.": "物体已不存在；请选择带关键帧的骨架或物体。",
    "The painting is not saved: save it in the Image Editor (Alt S) first.": "画作尚未保存：请先在图像编辑器中保存 (Alt S)。",
    "The painting it has now is moved to keys/unused.": "现有的画作会移到 keys/unused。",
    "The result {path} cannot be read; run the job again.": "无法读取结果 {path}；请重新运行任务。",
    "The result {path} does not fit the clip; run the job again.": "结果 {path} 与运动片段不符；请重新运行任务。",
    "The scene has no camera: add one and make it the active camera": "场景没有摄像机：请添加一个并设为活动摄像机",
    "The scene is gone; the result is in {folder}.": "场景已不存在；结果在 {folder} 中。",
    "The scene is no longer shown; go back to it and run this again.": "该场景已不在显示；请回到该场景再运行。",
    "The style '{name}' could not be deleted ({why}).": "无法删除风格“{name}”({why})。",
    "The style '{name}' is deleted.": "风格“{name}”已删除。",
    "The style could not be saved in {folder} ({why}); make room or choose another folder.": (
        "无法把风格保存到 {folder} ({why})；请腾出空间或另选文件夹。"
    ),
    "The style is trained; press Stylise to paint the shot.": "风格已训练好；按“风格化”即可绘制镜头。",
    "The styles in {folder} could not be moved ({why}); look there.": "无法移动 {folder} 中的风格 ({why})；请到那里查看。",
    "The trained style cannot be read; train it again.": "无法读取训练好的风格；请重新训练。",
    "The training has neither time nor steps; give it some seconds.": "训练没有设定时间或步数；请给它几秒钟。",
    "The two strips share no frame; move them so that they overlap in time.": (
        "两个片段没有重叠的帧；请移动它们，使时间上有重叠。"
    ),
    "There are no generated keys here.": "这里没有生成的关键帧。",
    "There is a style '{name}' already; choose another name, or delete that one first.": (
        "风格“{name}”已存在；请换个名称，或先删除它。"
    ),
    "There is no file {path}; choose a movie or a picture.": "文件 {path} 不存在；请选择影片或图片。",
    "There is no image: open the painting in an Image Editor, or name it.": "没有图像：请在图像编辑器中打开画作，或指定名称。",
    "There is no key after frame {end} to arrive at; key a pose there, or play on freely.": (
        "第 {end} 帧之后没有可到达的关键帧；请在那里设置姿态，或自由续演。"
    ),
    "There is no motion from frame {start} to {end}; widen the frame range.": "第 {start} 至 {end} 帧没有运动；请扩大帧范围。",
    "There is no motion to play on: key at least two poses first.": "没有可以续演的运动：请先至少为两个姿态设置关键帧。",
    "There is no room after frame {end}: the next key is at frame {first}.": (
        "第 {end} 帧之后没有空间：下一个关键帧在第 {first} 帧。"
    ),
    "There is no style '{name}' in {folder}; choose another, or copy it there.": (
        "{folder} 中没有风格“{name}”；请另选一个，或把它复制到那里。"
    ),
    "This scene is no result": "此场景不是结果",
    "There is nothing to loop: select bones or channels that are animated.": "没有可循环的内容：请选择有动画的骨骼或通道。",
    "There is nothing to fill from frame {start} to {end}: key at least two poses with frames between them, or widen the"
    " frame range.": ("第 {start} 至 {end} 帧没有需要填补之处：请至少为两个中间隔有帧的姿态设置关键帧，或扩大帧范围。"),
    "There is nothing to fill: set two keys with frames between them on the selected bones or channels.": (
        "没有需要填补之处：请在所选骨骼或通道上设置两个中间隔有帧的关键帧。"
    ),
    "There is nothing to play on: select bones or channels that are animated.": (
        "没有可以续演的内容：请选择带动画的骨骼或通道。"
    ),
    "This copy of the extension came without the engine's package; install the extension from its zip file.": (
        "此扩展不含引擎的安装包；请用扩展的 zip 文件安装。"
    ),
    "This frame is not captured: go to one that is, or capture the shot again": (
        "此帧没有采集：请跳到已采集的帧，或重新采集镜头"
    ),
    "This frame is not painted: go to one that is": "此帧没有绘制：请跳到已绘制的帧",
    "This needs the engine: press Install Engine in the Understudy panel.": (
        "此功能需要引擎：请在 Understudy 面板中按“安装引擎”。"
    ),
    "This shot was captured from a scene, so its guides are exact; only footage is tracked.": (
        "此镜头采集自场景，引导图是精确的；只有素材才需要跟踪。"
    ),
    "What can be learned is in-betweening, kind 'inbetween', within some seconds; ask for that.": (
        "可以学习的是中间帧，类型为“inbetween”，并需要几秒时间；请据此设置。"
    ),
    "no keys": "没有关键帧",
    "{folder} holds footage of other frames; rename the strip, or use Read Again to replace them.": (
        "{folder} 中是其他帧的素材；请重命名片段，或用“重新读取”替换它们。"
    ),
    "{key} could not be moved to {target} ({why}).": "无法把 {key} 移到 {target} ({why})。",
    "{path} is missing, which the style was trained on; put it back, or train again.": (
        "缺少训练风格所用的 {path}；请放回原处，或重新训练。"
    ),
    "{path} is neither a movie nor a picture that Blender can read.": "{path} 不是 Blender 能读取的影片或图片。",
    "{target} could not be written ({why}); make room and learn again.": "无法写入 {target} ({why})；请腾出空间后重新学习。",
    "{target} could not be written ({why}); make room or choose another folder.": (
        "无法写入 {target} ({why})；请腾出空间或另选文件夹。"
    ),
    "{} keys went; the rest keeps the curves within the bound.": "去掉了 {} 个关键帧；其余关键帧使曲线保持在误差之内。",
    "The weight of the discriminator cannot be below 0; 0 leaves it out.": "判别器的权重不能小于 0；0 表示不使用它。",
    "'{name}' is a single picture, and motion is learned from several; Animate moves a single one.": (
        "“{name}”只有一张图片，而运动要从多张图片中学习；“让图片动起来”可用于单张图片。"
    ),
    "A picture takes its motion from a learned sequence; choose the folder of one.": (
        "图片的运动来自学习过的序列；请选择其文件夹。"
    ),
    "Another Blender is installing the engine; wait until it is done, then try again.": (
        "另一个 Blender 正在安装引擎；请等它完成后再试。"
    ),
    "Animate moves a picture: put the movie into the Video Sequencer, and go to one.": (
        "“让图片动起来”用于图片：请把影片放入视频序列编辑器，并跳转到一帧。"
    ),
    "Choose a folder of numbered pictures, a picture or a movie.": "请选择编号图片的文件夹、一张图片或一个影片。",
    "Choose the learned sequence to delete first.": "请先选择要删除的学习过的序列。",
    "Choose the learned sequence whose motion the picture is to have; Save keeps one": (
        "请选择图片要采用其运动的学习过的序列；“保存”可留存一个"
    ),
    "Delete the learned sequence '{name}' for good?": "永久删除学习过的序列“{name}”？",
    "Frame {frame} of '{name}' is missing: make it with Between first, or find its file.": (
        "“{name}”缺少第 {frame} 帧：请先用“补帧”生成，或找回其文件。"
    ),
    "Made {count} frames, see the strip '{strip}' in channel {channel} of the scene '{scene}'.": (
        "已生成 {count} 帧，见场景“{scene}”第 {channel} 通道的片段“{strip}”。"
    ),
    "No frame is generated yet: press Generate first": "还没有生成帧：请先按“生成”",
    "No learned sequence is saved yet": "还没有保存学习过的序列",
    "Nothing is learned of this sequence yet: press Learn first.": "还没有学习此序列：请先按“学习”。",
    "Open a picture that is saved as a file, or an image sequence, in this editor": (
        "请在此编辑器中打开已存为文件的图片或图像序列"
    ),
    "The engine left no frame; see its log and generate again.": "引擎没有留下任何帧；请查看其日志后重新生成。",
    "The folder {folder} cannot be read ({why}); choose another.": "无法读取文件夹 {folder}（{why}）；请另选一个。",
    "The frames in {folder} could not be put in place ({why}); mend that and generate again.": (
        "{folder} 中的帧无法放到位（{why}）；请解决后重新生成。"
    ),
    "The learned sequence '{name}' could not be deleted ({why}).": "无法删除学习过的序列“{name}”（{why}）。",
    "The learned sequence '{name}' is deleted.": "学习过的序列“{name}”已删除。",
    "The learned sequence could not be saved in {folder} ({why}); make room or choose another folder.": (
        "学习过的序列无法保存到 {folder}（{why}）；请腾出空间或另选文件夹。"
    ),
    "The sequence is learned; press Generate, or save it to animate a picture elsewhere.": (
        "序列已学习；请按“生成”，或保存后用于让别处的图片动起来。"
    ),
    "The shot has no guide that tells its objects apart; capture it with guides, or choose no objects.": (
        "镜头没有区分物体的引导图；请连同引导图采集，或不选择物体。"
    ),
    "There are no numbered pictures in {folder}, such as 0001.png; choose another folder.": (
        "{folder} 中没有编号的图片（例如 0001.png）；请另选文件夹。"
    ),
    "There is a learned sequence '{name}' already; choose another name, or delete that one first.": (
        "已有学习过的序列“{name}”；请换一个名称，或先删除它。"
    ),
    "There is no learned sequence '{name}' in {folder}; choose another, or copy it there.": (
        "{folder} 中没有学习过的序列“{name}”；请另选一个，或把它复制到那里。"
    ),
    "There is no strip '{name}' in the Video Sequencer.": "视频序列编辑器中没有片段“{name}”。",
    "{path} is {size} and {first} {usual} pixels; give all pictures one size.": (
        "{path} 为 {size} 像素，{first} 为 {usual} 像素；请让所有图片尺寸一致。"
    ),
}
